("x" * 3e6) as $s | {a: $s, b: $s, c: $s}
