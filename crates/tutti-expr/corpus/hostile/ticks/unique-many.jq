[range(20000)] as $a | last(range(1e5) | $a | unique)
