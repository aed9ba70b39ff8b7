[range(500) | {a: (. % 3), b: "x\(.)"}] as $a | last(range(1e9) | $a | sort)
