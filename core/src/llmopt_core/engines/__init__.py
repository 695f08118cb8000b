"""What each engine can be given, as data: parameters, ranges, defaults, rules, command lines.

It starts no engine: that is `llmopt_runner.engines`. Read `declarations` first, then one engine's package.
"""
