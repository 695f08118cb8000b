"""The classes of errors, what each means for a study, and how an engine's log becomes one of them.

It raises nothing itself. Read `classes` first, then `classification`.
"""
