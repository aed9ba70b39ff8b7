("a" * 2e6) | gsub(""; "b")
