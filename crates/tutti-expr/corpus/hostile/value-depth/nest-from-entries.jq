reduce range(1000) as $i (1; [{key: "a", value: .}] | from_entries)
