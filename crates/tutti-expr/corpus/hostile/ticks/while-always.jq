last(while(true; .))
