"""The files of models: where they are, fetching them, and what their headers say.

It loads no weight and imports no library of models. Read `resolution` first.
"""
