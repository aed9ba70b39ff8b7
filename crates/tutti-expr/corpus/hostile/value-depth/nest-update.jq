reduce range(1000) as $i ({}; .a |= {b: .})
