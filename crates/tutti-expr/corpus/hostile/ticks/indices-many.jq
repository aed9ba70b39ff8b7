[limit(1e5; repeat(1))] | reduce range(100) as $i (.; indices([1,1,1])|map(1))
