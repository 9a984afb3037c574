"""What a change means before it is made: the declared resources compared with GitHub, by reads only."""
