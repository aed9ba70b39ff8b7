("xé" * 2e4) as $s | last(range(1e9) | $s | test("(\\w|\\d)*a(\\w|[^b]){30}c"))
