def f: .[f]; f
