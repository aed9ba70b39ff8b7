[range(20000)] as $a | last(range(1e5) | $a | group_by(. % 7))
