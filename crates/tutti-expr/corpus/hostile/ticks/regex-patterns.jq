last(range(1e9) | "a" as $s | $s | test("a{\(. | tojson | length)}"))
