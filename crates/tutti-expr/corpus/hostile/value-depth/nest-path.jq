setpath([range(1000)|"a"]; 1)
