last(range(1e9) as $i | [range(10000)] | .[2:4] = [1])
