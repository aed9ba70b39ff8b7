("a" * 1000) as $s | last(range(1e9) | "\($s)\(.)")
