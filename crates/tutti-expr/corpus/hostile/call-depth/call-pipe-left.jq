def f: f | .; f
