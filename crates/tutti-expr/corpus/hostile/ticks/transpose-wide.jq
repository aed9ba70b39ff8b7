[[range(1e5)]] | reduce range(100) as $i (.; transpose)
