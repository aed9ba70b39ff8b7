def f: . as {(f): $x} | 1; {} | f
