[range(20000)] | reduce range(1000) as $i (.; reverse | sort)
