(reduce range(2000) as $i ({}; .["\($i)"] = $i)) as $o | last(range(1e9) | {a: 1} + $o)
