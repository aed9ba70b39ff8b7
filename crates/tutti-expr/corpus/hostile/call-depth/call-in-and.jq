def f: f and true; f
