"""Engines as server processes: command line, start, supervision, end, diagnosis.

Which parameters there are is data in `llmopt_core.engines`; when an engine is loaded is left to `loading`.
Read `base` first, then `server`.
"""
