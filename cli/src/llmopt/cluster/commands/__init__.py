"""The commands that ask a cluster, one file for each.

They print and return an exit code; what is asked is in the package above. Read `exits` first.
"""
