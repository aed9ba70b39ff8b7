[[1,2]] | . as {("a","b"):$x} ?// $x | repeat($x) | empty
