last(foreach range(1e9) as $i (0; .+1))
