"""Which configuration is measured next.

Start with `observations`: what a sampler is given. It reads no database and starts no engine.
"""
