[range(10000)] as $a | last(range(1e6) | $a | to_entries)
