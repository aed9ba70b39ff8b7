[range(3000)] | contains([range(3000)])
