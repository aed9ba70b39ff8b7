until(false; .)
