"""What a search for the highest load saw: a few numbers per probe, stored with the trial."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class LoadProbe:
    """One load that was tried.

    `load` is a rate in requests per second, or a concurrency. `kept` of `requests` kept every bound of the
    service level; `strain` is the quotient of latency and bound that the share asked for stayed within (1.0:
    exactly at the bound). `per_second` is how many requests ended, `stopped` whether the probe was ended
    early because it could not keep the level any more.
    """

    load: float
    kept: int
    requests: int
    strain: float
    per_second: float
    stopped: bool = False


@dataclass(frozen=True)
class LoadCurve:
    """The probes of a trial as they were made, and what follows: the highest load, `low` to `high`.

    All probes at `low` and below kept the level, none at `high` and above did; `high` is None where the
    highest load that may be tried still kept it.
    """

    by: Literal["rate", "concurrency"]
    attainment: float
    value: float
    low: float
    high: float | None
    probes: tuple[LoadProbe, ...]
