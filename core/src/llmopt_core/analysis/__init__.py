"""What the measurements show: effects, intervals, sequential tests, ranking. Pure functions.

It reads no database and produces no text for people. Read `effects` first, then `comparison`, `confirmation`
and `verification`: which block of which finalist is measured next, and what has been decided.
"""
