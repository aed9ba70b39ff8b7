(reduce range(500) as $i ({}; .["\($i)"] = $i)) as $o | last(range(1e9) | $o | with_entries(.value += 1))
