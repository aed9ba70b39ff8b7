def f: limit(1; f); f
