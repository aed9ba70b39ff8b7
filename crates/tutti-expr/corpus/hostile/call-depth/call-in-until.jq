def f: until(f; .); f
