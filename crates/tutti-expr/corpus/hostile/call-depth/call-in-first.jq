def f: first(f); f
