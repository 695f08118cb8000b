"""What the measurements show: effects, intervals, sequential tests, ranking. Pure functions.

It reads no database and produces no text for people. Read `comparison` first, then `confirmation`.
"""
