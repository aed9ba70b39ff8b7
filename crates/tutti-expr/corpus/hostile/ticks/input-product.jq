[range(20) | [1,2]] | [combinations] | length
