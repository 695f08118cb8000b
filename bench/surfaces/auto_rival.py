"""llmopt's own sampler as a rival."""

from collections.abc import Mapping

from llmopt_core.sampling.auto import AutoSampler
from llmopt_core.sampling.auto.ending import nothing_more_to_gain
from llmopt_core.sampling.observations import Observation, ObservedState
from llmopt_core.search.configurations import Value
from surfaces.rivals import Measurement, Rival, Setting


class AutoRival(Rival):
    """`sampler: auto` of one runner; with `ends`, it ends as a search does that has nothing more to gain.

    `bound` is what it said last that no remaining configuration exceeds, `ended` whether it ended for it.
    """

    def __init__(self, setting: Setting, *, ends: bool = False) -> None:
        self._problem = setting.problem
        self._ends = ends
        self.bound: float | None = None
        self.ended = False
        self._sampler = AutoSampler(setting.problem, setting.seed)
        self._seen: list[Observation] = []

    def propose(self, running_engine: Mapping[str, Value] | None) -> Mapping[str, Value] | None:
        """Return what the sampler advises, None once it expects nothing more."""
        advice = self._sampler.propose(self._seen, running_engine)
        if advice is None:
            return None
        self.bound = advice.bound
        self.ended = self._ends and nothing_more_to_gain(self._problem, self._seen, advice)
        return None if self.ended else advice.parameters

    def observe(self, measurement: Measurement) -> None:
        """Keep what was measured."""
        self._seen.append(
            Observation(
                parameters=measurement.parameters,
                state=ObservedState.MEASURED if measurement.works else ObservedState.INFEASIBLE,
                metrics=measurement.metrics,
                standard_errors=measurement.standard_errors,
                seconds=measurement.seconds,
                start_seconds=measurement.start_seconds,
            )
        )
