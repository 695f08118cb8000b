"""The lines by which engines and the system report errors, one file for each source.

Which pattern decides is left to `classification`. Read `base` first.
"""
