def f: def g: f | .; g, 1; f
