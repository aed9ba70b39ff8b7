("x" * 1e6) as $a | ("x" * 1e6) as $b | [range(1e5) | $a == $b] | length
