"""Engines as server processes: command line, start, supervision, end, diagnosis.

Which parameters there are is data in `llmopt_core.engines`; when an engine is loaded is left to
`engine_slot`. Each engine is a package. Read `base` first, then `server`.
"""
