def f: "a" | sub("a"; f); f
