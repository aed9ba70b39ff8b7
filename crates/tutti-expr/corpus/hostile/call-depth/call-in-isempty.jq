def f: isempty(f); f
