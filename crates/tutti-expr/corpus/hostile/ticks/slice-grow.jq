reduce range(60) as $i ([0]; .[0:0] = .)
