"""The HTML report of a study.

It reads results and computes none. Read `content` first.
"""
