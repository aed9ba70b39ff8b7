any(repeat(false); .)
