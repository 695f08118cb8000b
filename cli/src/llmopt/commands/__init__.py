"""The commands that work on this machine, one file for each.

They print and return an exit code; the work is done by `local` and `machine`. Read `run` first.
"""
