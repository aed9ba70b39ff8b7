last(range(1e9) | pow(.; 2) | sin | tgamma)
