def f: label $l | f; f
