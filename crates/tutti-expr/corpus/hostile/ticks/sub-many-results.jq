"a" | [sub("a"; range(1e5) | "x" * 1e4)] | length
