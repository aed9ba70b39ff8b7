def f: -f; f
