def f: reduce f as $x (0; 1); f
