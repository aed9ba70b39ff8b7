def f(g): f(g|g); f(.)
