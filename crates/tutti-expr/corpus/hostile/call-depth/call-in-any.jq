def f: any(f; .); f
