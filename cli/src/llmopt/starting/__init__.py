"""A first manifest for this machine.

Read `settings` first: what is chosen for which machine.
"""
