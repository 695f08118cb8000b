"""SGLang's server as the runner starts and asks it. Read `engine` first; its parameters are in core."""
