setpath([536870911]; 1)
