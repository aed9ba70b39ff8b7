def f: (f, 1); [f]
