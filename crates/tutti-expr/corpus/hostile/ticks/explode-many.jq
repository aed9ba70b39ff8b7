("a" * 1e6) as $s | last(range(1000) | $s | explode | implode)
