("a" * 1e6) | [match("a"; "g")] | length
