def f: [1,2] | sort_by(f); f
