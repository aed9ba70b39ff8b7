def f: f as $x | 1; f
