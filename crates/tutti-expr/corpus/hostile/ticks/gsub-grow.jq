reduce range(60) as $i ("a"; gsub("a"; "aa"))
