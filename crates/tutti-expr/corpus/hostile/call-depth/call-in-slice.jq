def f: .[f:]; f
