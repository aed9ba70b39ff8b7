[limit(1e5; repeat(1))] | last(range(1e9) as $i | bsearch(1))
