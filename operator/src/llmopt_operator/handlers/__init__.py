"""The edge of the operator: kopf's watches, and the servers of health and metrics.

Handlers only remember and queue; `reconciling` acts. Read `watches` first.
"""
