last(limit(1e18; repeat(.)))
