last(repeat(null) // 1)
