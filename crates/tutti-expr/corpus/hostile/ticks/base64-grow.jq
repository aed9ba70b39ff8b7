reduce range(200) as $i ("x" * 1000; @base64)
