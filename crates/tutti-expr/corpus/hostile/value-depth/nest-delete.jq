delpaths([[range(1000) | "a"]])
