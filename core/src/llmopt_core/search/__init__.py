"""The search space as dimensions, and a configuration: one point of it.

It knows no manifest (`resources.search_spaces` builds spaces from one) and no optimiser (`study`). Read
`configurations` first, then `spaces`.
"""
