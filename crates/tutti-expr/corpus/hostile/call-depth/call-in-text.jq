def f: "\(f)"; f
