last(range(1e9) | todate)
