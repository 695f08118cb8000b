"""Searches on a real engine: what `bench/live_search.py` is made of.

`manifests` says what all of them are asked, `searching` runs llmopt's own and SMAC3, `tables` writes what
they found.
"""

from live.manifests import comparison
from live.searching import METHODS, Search, Task, found_by

__all__ = ["METHODS", "Search", "Task", "comparison", "found_by"]
