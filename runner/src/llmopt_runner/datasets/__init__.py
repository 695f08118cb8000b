"""Data sets: items with a question and, where there is one, the right answer.

Scoring answers is left to `quality`. Read `base` first, then `loading`.
"""
