def f: if f then 1 else 2 end; f
