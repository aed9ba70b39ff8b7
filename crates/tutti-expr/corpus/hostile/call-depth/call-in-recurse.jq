def f: recurse(f); f | f
