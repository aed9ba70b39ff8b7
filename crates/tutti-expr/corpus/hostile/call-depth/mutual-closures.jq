def f(g): g | g; def h(x): f(h(x)); h(.)
