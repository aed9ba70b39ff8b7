(reduce range(15) as $i ({a: 0}; {x: ., y: .})) as $a | (reduce range(15) as $i ({a: 0}; {x: ., y: .})) as $b | last(range(1e9) | $a < $b)
