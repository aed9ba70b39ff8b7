[limit(1000; repeat("x" * 1e5))] | join("x" * 1000)
