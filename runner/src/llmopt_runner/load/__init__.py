"""Requests as an ordinary client sends them, with the times and tokens of each answer.

Whether a measurement is valid is left to `validity`. Read `client` first, then `summary`.
"""
