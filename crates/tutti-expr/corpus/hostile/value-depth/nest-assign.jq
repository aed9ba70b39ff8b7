reduce range(1000) as $i (null; .a = {a: .})
