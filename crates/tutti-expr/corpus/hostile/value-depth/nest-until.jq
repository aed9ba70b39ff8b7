[0] | until(false; [.])
