"""Search strategies on recorded surfaces: what `bench/search_efficiency.py` is made of.

A recorded surface is a folder of measurements that somebody made. A simulated engine answers from it, so
that strategies are compared on engine seconds without an engine. Start with `recorded` (the folder), then
`answers` (what the simulated engine says), `simulation` (the clock and the run) and `figures` (what is
reported).
"""
