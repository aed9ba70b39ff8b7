last(range(1e9) as $i | "a" | test("\\w{1000}\\w{\($i)}")?)
