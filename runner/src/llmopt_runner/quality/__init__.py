"""Evaluators: the score of an answer.

It asks only the judge's or the scoring endpoint. Read `base` first.
"""
