"""The study: trials, claims, leases, heartbeats and results, in SQLite or PostgreSQL.

The only package that knows Optuna and SQLAlchemy. It does not measure, and decides nothing about processes
or Jobs. Read `adapter` for what others use of it, then `studies`.
"""
