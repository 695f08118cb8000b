"""llmopt's own sampler as a rival."""

from collections.abc import Mapping

from llmopt_core.sampling.auto import AutoSampler
from llmopt_core.sampling.observations import Observation, ObservedState
from llmopt_core.search.configurations import Value
from surfaces.rivals import Measurement, Rival, Setting


class AutoRival(Rival):
    """`sampler: auto` of one runner."""

    def __init__(self, setting: Setting) -> None:
        self._sampler = AutoSampler(setting.problem, setting.seed)
        self._seen: list[Observation] = []

    def propose(self, running_engine: Mapping[str, Value] | None) -> Mapping[str, Value] | None:
        """Return what the sampler advises, None once it expects nothing more."""
        advice = self._sampler.propose(self._seen, running_engine)
        return None if advice is None else advice.parameters

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
