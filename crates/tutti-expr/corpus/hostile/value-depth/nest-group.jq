reduce range(1000) as $i ([1]; group_by(.))
