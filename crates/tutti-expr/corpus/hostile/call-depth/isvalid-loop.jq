def f: isempty(f); f | f | repeat(.)|empty
