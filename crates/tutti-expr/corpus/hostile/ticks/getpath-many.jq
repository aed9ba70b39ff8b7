reduce range(1e7) as $i (null; getpath(["a","b","c"]))
