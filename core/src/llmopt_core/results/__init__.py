"""What a study found and how far it is, as data and in words, for the terminal, status, report and Python.

Read `optimizations` and `benchmarks` for the data, then `wording`.
"""
