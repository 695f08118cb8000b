"""One resource at a time, nearer to what it asks for: from what was observed of it to the steps of a plan.

What is decided is in `domain`, how it is sent in `adapters`; which resources are due comes from `handlers`
and `loops`. Read `reconciler` first.
"""
