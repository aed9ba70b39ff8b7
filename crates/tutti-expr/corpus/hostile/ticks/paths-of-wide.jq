[range(1000)] as $a | [range(1000) | $a] | [paths] | length
