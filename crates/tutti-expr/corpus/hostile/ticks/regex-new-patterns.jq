last(range(1e9) as $i | "a" | test("[a-z]{\($i % 500)}\\w{2}"))
