"""What a pattern is, and the lines by which the machine below every engine reports errors.

The lines of an engine are in its own package, `llmopt_core.engines.<name>.patterns`. Which pattern decides is
left to `classification`. Read `base` first.
"""
