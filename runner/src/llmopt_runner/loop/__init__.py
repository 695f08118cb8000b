"""The life of a runner: claim, run, finish, until the study has an end; the same for both kinds.

It measures nothing itself: that is `trial`. Read `lifecycle` first, then `search` and `comparison`.
"""
