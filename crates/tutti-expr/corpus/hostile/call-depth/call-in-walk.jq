def f: walk(f); [1] | f
