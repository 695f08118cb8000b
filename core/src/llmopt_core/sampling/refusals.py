"""What earlier trials show of a configuration that cannot work here: it is not started again. Pure.

All runners read it from the study, so what one of them learned holds for all.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from llmopt_core.errors.classes import Failure
from llmopt_core.search.configurations import Configuration, Value
from llmopt_core.storage.records import Outcome, OutcomeKind, TrialRecord

# Stages of a trial, as in `Outcome.seconds`.
_STARTED, _SERVED = "load", "warmup"


def known_refusal(
    trials: Iterable[TrialRecord],
    configuration: Configuration,
    load_part: Callable[[Configuration], Mapping[str, Value]],
) -> Failure | None:
    """Return the failure that `configuration`, which is canonical, would meet again; None: it is not known.

    It is known where the same configuration was infeasible, where an engine with the same `load_part` could
    not be started, and where the engine named a limit that the configuration breaks.
    """
    for trial in trials:
        outcome = trial.outcome
        if outcome is None or outcome.failure is None or outcome.kind is not OutcomeKind.INFEASIBLE:
            continue
        broken = [limit for limit in outcome.failure.limits if limit.is_broken_by(configuration.engine)]
        if broken:
            return _again(outcome.failure, f"the engine named a limit in trial {trial.number}: {broken[0]}")
        if _is_same(outcome, configuration, load_part):
            return _again(outcome.failure, f"as in trial {trial.number}: {outcome.failure.message}")
    return None


def _is_same(
    outcome: Outcome, configuration: Configuration, load_part: Callable[[Configuration], Mapping[str, Value]]
) -> bool:
    """Say whether an engine refused what `configuration` asks for; a prediction alone may be corrected."""
    if _STARTED not in outcome.seconds:
        return False
    if outcome.configuration.key() == configuration.key():
        return True
    return _SERVED not in outcome.seconds and load_part(outcome.configuration) == load_part(configuration)


def _again(failure: Failure, message: str) -> Failure:
    return replace(failure, message=message, limits=(), remedies=())
