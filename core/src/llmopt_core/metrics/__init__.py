"""The meaning of every metric: name, unit, direction, formula.

It measures nothing. Read `catalog`.
"""
