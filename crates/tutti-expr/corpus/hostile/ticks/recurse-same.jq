last(recurse(.))
