"""Models by short names: `models.yaml`, what its fields mean to each engine, and what came before it.

Read `entries` first, then `engine_arguments`. Nothing here asks a machine or starts anything.
"""
