"""This machine as it is: memory of the host and of GPUs, control groups, other programs, what it is called.

It judges nothing and ends nothing: that is `guard` and `trial`. Read `occupancy` first, then `devices`.
"""
