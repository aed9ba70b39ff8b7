def f: foreach f as $x (0; 1); f
