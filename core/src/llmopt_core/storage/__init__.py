"""The record of studies in SQLite or PostgreSQL: trials, claims, leases, heartbeats, the end.

It neither chooses configurations (see `sampling`) nor judges results (see `analysis`), and does not load
Optuna. Read `records` for the data, then `storages` and `studies`.
"""
