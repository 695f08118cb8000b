"""SGLang's server as data: parameters, rules, command line. Read `declaration` first."""
