"""The runner's HTTP client: everything here that talks HTTP does it through this package.

Servers are not trusted: no redirect is followed, each exchange has a deadline for its whole length and a
limit on its bytes, nothing is decompressed, and in a cluster no link-local address is asked. What an answer
means is left to who asked. Read `connections` first.
"""
