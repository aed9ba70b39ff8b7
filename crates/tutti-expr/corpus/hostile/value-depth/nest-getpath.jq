[limit(1000; repeat("a"))] as $p | path(getpath($p))
