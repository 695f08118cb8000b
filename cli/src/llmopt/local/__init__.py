"""Studies in results folders, and the runners of this machine that work on them.

It starts runners as processes and never imports them. Read `runs` first, then `sessions`.
"""
