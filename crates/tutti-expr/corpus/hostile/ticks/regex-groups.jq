("ab" * 5e4) as $s | last(range(1e9) | $s | test("()" * 200 + "[ab]{300}c"))
