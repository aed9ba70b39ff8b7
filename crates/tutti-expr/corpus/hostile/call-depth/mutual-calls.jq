def f(g): g; def h: f(h); h
