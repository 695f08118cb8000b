"""The one engine that a runner has loaded: when it is started, reused and ended, and its memory meanwhile.

Command lines and processes are left to `engines`, measurements to `trial`. Read `slot` first.
"""
