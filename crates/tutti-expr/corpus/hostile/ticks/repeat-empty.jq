repeat(1)|empty
