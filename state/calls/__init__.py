"""One declaration for each script of `state/lua/`: its named arguments and its reply."""
