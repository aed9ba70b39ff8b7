def f: pow(f; 2); f
