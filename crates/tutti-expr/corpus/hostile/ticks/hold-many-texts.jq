[range(100) | "x" * 1e6] | length
