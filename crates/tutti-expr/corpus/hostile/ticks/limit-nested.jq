last(limit(1e9; limit(1e9; limit(1e9; repeat(.)))))
