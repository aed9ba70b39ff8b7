reduce range(60) as $i ({a: 1}; . * {("k\($i)"): .})
