[range(1e5) | 97] as $a | last(range(1e9) | $a | implode)
