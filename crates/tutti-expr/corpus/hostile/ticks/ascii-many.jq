("a" * 1e5) as $s | last(range(1e9) | $s | ascii_upcase)
