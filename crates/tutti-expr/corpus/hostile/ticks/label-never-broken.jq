label $out | repeat(.) | select(false) | break $out
