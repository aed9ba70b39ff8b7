(reduce range(15) as $i ([0]; [.,.])) as $a | (reduce range(15) as $i ([0]; [.,.])) as $b | last(range(1e9) | $a == $b)
