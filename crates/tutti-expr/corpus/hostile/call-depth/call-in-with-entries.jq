def f: with_entries(f); {a: 1} | f
