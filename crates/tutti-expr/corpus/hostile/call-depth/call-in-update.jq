def f: .a |= f; f
