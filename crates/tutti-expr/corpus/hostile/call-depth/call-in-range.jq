def f: range(f); f
