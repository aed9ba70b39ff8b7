[range(10)] | [combinations(9)] | length
