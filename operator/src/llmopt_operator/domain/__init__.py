"""Decisions about one resource, from what was observed to a plan. Pure: no waiting, no input or output.

It knows neither kopf nor a client. Read `observed` first, then `decisions`.
"""
