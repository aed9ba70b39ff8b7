skip(1e18; repeat(.))
