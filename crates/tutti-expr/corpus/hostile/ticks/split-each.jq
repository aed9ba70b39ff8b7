("a" * 3e6) | split("") | length
