(reduce range(10000) as $i ({}; .["\($i)"] = $i)) as $o | last(range(1e9) | $o | keys)
