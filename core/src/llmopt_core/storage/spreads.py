"""How sure a percentile of one measurement is, stored with its trial."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """The interval of a percentile at 95 %, and how many independent requests it rests on.

    An end is None where so few requests do not bound it: the 99.9th percentile of 100 has no upper end.
    """

    low: float | None
    high: float | None
    effective: float
