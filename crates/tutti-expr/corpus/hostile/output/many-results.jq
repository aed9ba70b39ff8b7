("x" * 1000) as $s | limit(9000; repeat($s))
