"""What a comparison of one metric comes to, as results, statuses and reports name it."""

from enum import StrEnum


class Verdict(StrEnum):
    """What an interval says: significant in a direction, too small to matter, or neither yet."""

    BETTER = "better"
    WORSE = "worse"
    EQUIVALENT = "equivalent"  # not significant, and within the smallest relevant gain
    UNDECIDED = "undecided"
