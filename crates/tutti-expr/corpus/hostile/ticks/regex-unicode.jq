("ab" * 5e4) as $s | last(range(1e9) | $s | test("\\b\\w{3}é$"))
