last(range(1e9) | strftime("%Y%Y%Y%Y%Y%Y%Y%Y%Y%Y%Y%Y%Y%Y%Y%Y%A%A%A%A"))
