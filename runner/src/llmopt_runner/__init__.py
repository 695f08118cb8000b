"""The runner: starts real inference servers, measures them, and writes what it found into the study.

It imports no engine and no torch: an engine is a child process with an HTTP API. It does not start runners,
and has no rights in a cluster. Read `main` first, then `loop` and `trial`.
"""
