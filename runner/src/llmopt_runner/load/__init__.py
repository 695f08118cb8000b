"""Requests as an ordinary client sends them, with the times and tokens of each answer.

Whether a measurement is valid is left to `trial.validity`. Read `client` first, then `summary`, and for the
search of the highest load `highest_load`.
"""
