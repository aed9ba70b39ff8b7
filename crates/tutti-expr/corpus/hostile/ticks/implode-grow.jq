reduce range(40) as $i ("xx"; . * 2)
