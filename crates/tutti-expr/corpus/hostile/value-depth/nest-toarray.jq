reduce range(1000) as $i ({}; [.] | toarray | {a: .})
