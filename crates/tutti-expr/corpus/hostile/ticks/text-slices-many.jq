("é" * 100000) as $s | last(range(1e9) | $s[5:10])
