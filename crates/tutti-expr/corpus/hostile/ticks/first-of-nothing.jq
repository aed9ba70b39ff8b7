first(repeat(.)|select(. != null))
