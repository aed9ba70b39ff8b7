last(range(1e9) | try error({a: .}) catch .a)
