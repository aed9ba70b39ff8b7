reduce range(20) as $i ([0]; [.,.])
