reduce range(60) as $i ([0]; [., .] | if $i > 14 then flatten else . end) | length
