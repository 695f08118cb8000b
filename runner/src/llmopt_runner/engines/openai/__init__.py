"""A server that runs already, as the runner asks it. Read `engine` first; its parameters are in core."""
