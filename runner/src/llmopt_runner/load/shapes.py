"""How requests arrive: the shapes of load."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count


@dataclass(frozen=True)
class ClosedLoop:
    """`concurrency` clients, each of which sends its next request when its last one was answered."""

    concurrency: int

    def __post_init__(self) -> None:
        if self.concurrency < 1:
            raise ValueError(f"concurrency is {self.concurrency}; it must be 1 or more")


@dataclass(frozen=True)
class Poisson:
    """Independent arrivals at a mean rate, which never wait for answers; `duration_seconds` ends them."""

    rate_per_second: float
    seed: int
    duration_seconds: float | None = None

    def __post_init__(self) -> None:
        if not self.rate_per_second > 0:
            raise ValueError(f"rate_per_second is {self.rate_per_second}; it must be above 0")
        if self.duration_seconds is not None and not self.duration_seconds > 0:
            raise ValueError(f"duration_seconds is {self.duration_seconds}; it must be above 0")

    def arrivals(self) -> Iterator[float]:
        """Yield arrival times in seconds from the start: gaps are exponential, equal for equal seeds."""
        generator = random.Random(self.seed)  # noqa: S311 - a repeatable schedule, not a secret
        at = generator.expovariate(self.rate_per_second)
        while self.duration_seconds is None or at < self.duration_seconds:
            yield at
            at += generator.expovariate(self.rate_per_second)


@dataclass(frozen=True)
class ConstantRate:
    """Arrivals at equal gaps, which never wait for answers; `duration_seconds` ends them."""

    rate_per_second: float
    duration_seconds: float | None = None

    def __post_init__(self) -> None:
        if not self.rate_per_second > 0:
            raise ValueError(f"rate_per_second is {self.rate_per_second}; it must be above 0")

    def arrivals(self) -> Iterator[float]:
        """Yield arrival times in seconds from the start."""
        for number in count():
            at = number / self.rate_per_second
            if self.duration_seconds is not None and at >= self.duration_seconds:
                return
            yield at


@dataclass(frozen=True)
class Schedule:
    """Arrivals at given times, in seconds from the start and in order, which never wait for answers."""

    times: tuple[float, ...]

    def arrivals(self) -> Iterator[float]:
        """Yield arrival times in seconds from the start."""
        yield from self.times


OpenLoop = Poisson | ConstantRate | Schedule
LoadShape = ClosedLoop | OpenLoop
