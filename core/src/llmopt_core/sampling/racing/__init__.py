"""Stopping a trial that can no longer matter, after blocks of items that all trials are asked in one order.

Read `races` first: it says what stops a trial and at which error rate. `quantities` says how a metric is
estimated from a part of the items, `comparisons` compares one metric of two trials, `evidence` holds the
statistical tests. It reads no database and no clock.
"""
