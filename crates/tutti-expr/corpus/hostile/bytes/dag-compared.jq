(reduce range(60) as $i ([0]; [.,.])) == (reduce range(60) as $i ([0]; [.,.]))
