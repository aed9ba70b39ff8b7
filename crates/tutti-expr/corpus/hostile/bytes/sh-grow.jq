reduce range(60) as $i ("'"; @sh)
