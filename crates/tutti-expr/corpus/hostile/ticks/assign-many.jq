[range(30000)] | reduce range(1000) as $i (.; .[] += 1)
