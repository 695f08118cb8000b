"""What a model needs of memory, from the headers of its files, and whether a configuration can fit.

It reads no device and starts nothing; each engine's own needs are in `engines`. Read `shapes` first, then
`needs` and `prediction`.
"""
