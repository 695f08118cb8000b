"""A server that runs already, as data. Read `declaration` first."""
