[range(100000)] | walk(walk(.))
