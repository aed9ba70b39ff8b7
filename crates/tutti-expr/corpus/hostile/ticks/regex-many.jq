("ab" * 1e5) as $s | last(range(1e5) | $s | test("(a|b)*c"))
