"""Surfaces measured on real servers: what `bench/record_surface.py` is made of.

A recipe says what is measured. The runner's own code starts the servers, sends the load and scores the
answers; nothing here does. Start with `recipes` (what), then `plans` (in which order), `measuring` (by the
runner), `journals` (what was measured, kept through a kill) and `folders` (the surface as
`surfaces.recorded` reads it).
"""
