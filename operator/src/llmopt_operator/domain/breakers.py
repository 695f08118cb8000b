"""When a storage that failed is asked again: after pauses that double, until it answers once. Pure."""

from dataclasses import dataclass, replace
from math import inf

from llmopt_operator.domain.observed import Problem

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 2.0, 120.0


@dataclass(frozen=True)
class Breaker:
    """The failures of one storage in a row. `now` is in seconds of any one clock that does not go back."""

    failures: int = 0
    open_until: float = -inf
    problem: Problem | None = None

    def refusal(self, now: float) -> Problem | None:
        """Return why the storage is not asked at `now`, None where it may be asked."""
        if self.problem is None or now >= self.open_until:
            return None
        return replace(self.problem, retry_seconds=self.open_until - now)

    def failed(self, problem: Problem, now: float) -> "Breaker":
        """Return the breaker after one more failure."""
        pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(self.failures, 16))
        return Breaker(self.failures + 1, now + pause, problem)
