([range(10000)] | tojson) as $s | last(range(1e6) | $s | fromjson)
