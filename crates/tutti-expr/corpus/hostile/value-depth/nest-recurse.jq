last(path(recurse(.a)))
