last(range(1e9) | tostring | tonumber)
