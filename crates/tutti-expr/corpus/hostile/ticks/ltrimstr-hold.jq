[range(1e4) as $i | ("x" * 1e5) | ltrimstr("y")] | length
