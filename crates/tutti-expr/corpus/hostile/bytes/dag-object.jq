reduce range(60) as $i ({}; {a:.,b:.})
