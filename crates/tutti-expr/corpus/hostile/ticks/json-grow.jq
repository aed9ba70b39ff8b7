reduce range(64) as $i ("\""; tojson)
