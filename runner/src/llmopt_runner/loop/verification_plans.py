"""What is run again after a search: the reference and a few clearly different finalists. Pure."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import median

from llmopt_core.analysis.confirmation import compared_metrics
from llmopt_core.analysis.contenders import finalists
from llmopt_core.analysis.summary import StudySummary
from llmopt_core.analysis.verification import plan_verification
from llmopt_core.resources.optimization import Confirm
from llmopt_core.search.configurations import Configuration, Value
from llmopt_core.storage.records import ConfirmPlan, StudyDefinition, TrialRecord


def confirm_plan(
    confirm: Confirm,
    definition: StudyDefinition,
    summary: StudySummary,
    ordered: Sequence[TrialRecord],
    load_part: Callable[[Configuration], Mapping[str, Value]],
) -> ConfirmPlan | None:
    """Return the plan for the measured, feasible trials `ordered`, best first; None: nothing to prove.

    The reference is the baseline, or where that could not be measured, the best one. Candidates that
    need the same engine start follow one another; `load_part` gives what only another start can change.
    """
    reference = summary.baseline or next(iter(ordered), None)
    if reference is None or reference.outcome is None or confirm.top == 0:
        return None
    smallest = float(confirm.smallest_gain)
    if summary.baseline is None:  # the best may have been lucky: the next ones are compared with it
        rivals = tuple(ordered[1 : confirm.top + 1])
    else:
        rivals = finalists(ordered, reference, definition, most=confirm.top, smallest_gain=smallest)
    if not rivals:
        return None
    chosen = _by_engine((reference, *rivals), load_part)
    measured = [trial.outcome for trial in ordered if trial.outcome is not None]
    engines = tuple(_engine(trial, load_part) for trial in chosen)
    verification = plan_verification(
        engines,
        compared_metrics(definition, smallest),
        repeats=confirm.repeats,
        start_seconds=_typical(outcome.engine_start_seconds for outcome in measured),
        block_seconds=_typical(outcome.seconds.get("measure") for outcome in measured),
    )
    return ConfirmPlan(
        candidates=tuple(trial.parameters for trial in chosen),
        source_trials=tuple(trial.number for trial in chosen),
        repeats=verification.repeats,
        basis=summary.budget_used,
        engines=engines,
        level=verification.boundary.level,
        first_look=verification.boundary.first_look,
        spent=verification.boundary.spent,
        smallest_gain=smallest,
        per_start=verification.per_start,
    )


def _by_engine(
    trials: Sequence[TrialRecord], load_part: Callable[[Configuration], Mapping[str, Value]]
) -> Sequence[TrialRecord]:
    """Return `trials` with those of one engine together, in the order of each engine's first."""
    engines = list(dict.fromkeys(_engine(trial, load_part) for trial in trials))
    return sorted(trials, key=lambda trial: engines.index(_engine(trial, load_part)))


def _engine(trial: TrialRecord, load_part: Callable[[Configuration], Mapping[str, Value]]) -> str:
    assert trial.outcome is not None  # noqa: S101 - it was measured
    return json.dumps(load_part(trial.outcome.configuration), sort_keys=True)


def _typical(seconds: Iterable[float | None]) -> float:
    known = [each for each in seconds if each is not None]
    return median(known) if known else 0.0
