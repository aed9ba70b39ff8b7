reduce range(1e4) as $i (0; reduce range(1e4) as $j (.; . + 1))
