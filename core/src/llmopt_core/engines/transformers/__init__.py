"""`transformers serve` as data: parameters, rules, command line. Read `declaration` first."""
