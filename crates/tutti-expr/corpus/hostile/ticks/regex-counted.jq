("ab" * 5e4) as $s | last(range(1e9) | $s | test("(a|b)*a(a|b){900}c"))
