"""Which configuration is measured next, when a trial is stopped, and what other studies show.

It starts no engine and writes to no database. Read `methods` for what a runner uses of it, `observations` for
what a model-based sampler is given.
"""
