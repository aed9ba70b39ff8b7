last(repeat("2015-03-05T23:51:47Z" | fromdate))
