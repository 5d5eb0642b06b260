"""One declaration for each script of `state/lua/`: its arguments by name, and its reply."""
