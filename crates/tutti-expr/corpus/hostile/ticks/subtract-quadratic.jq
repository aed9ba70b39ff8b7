[range(1e5)] - [range(1e5; 2e5)]
