def f: path(f); f
