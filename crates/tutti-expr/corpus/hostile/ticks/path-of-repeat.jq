last(path(repeat(.)))
