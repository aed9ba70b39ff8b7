def f: try error catch f; f
