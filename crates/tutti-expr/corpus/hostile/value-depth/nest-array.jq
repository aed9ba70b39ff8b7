reduce range(200000) as $i (0;[.])|tojson
