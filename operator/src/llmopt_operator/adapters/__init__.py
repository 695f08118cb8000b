"""Everything outside the process: the API server, the Lease, the Secrets, the databases of the studies.

It decides nothing: what is read becomes a type of `domain`, what is written was built by `specs`. Read
`kubernetes` first, then `studies`.
"""
