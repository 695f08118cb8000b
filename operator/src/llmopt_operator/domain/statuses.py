"""The status of a resource as conditions, phase and figures, from what was seen of it. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from llmopt_core.api.conditions import ConditionType, Phase
from llmopt_core.api.reasons import Reason, reason_called
from llmopt_core.errors.classes import ErrorClass
from llmopt_operator.domain.actions import Action, Event, Plan, WriteBest
from llmopt_operator.domain.conditions import Fact, conditions
from llmopt_operator.domain.observed import FIGURES, Observed, Problem, StudySeen
from llmopt_operator.domain.runners import running_fact

_LONGEST_REASON = 160
# The condition that says why a resource is in its phase, the first that holds.
_EXPLAINED = {
    Phase.REJECTED: ((ConditionType.ACCEPTED, "False"),),
    Phase.PENDING: ((ConditionType.STUDY_READY, "False"), (ConditionType.RUNNING, "False")),
    Phase.SUSPENDED: ((ConditionType.SUSPENDED, "True"),),
    Phase.COMPLETE: ((ConditionType.COMPLETE, "True"),),
    Phase.FAILED: ((ConditionType.FAILED, "True"),),
}
_MEMORY_CLASSES = frozenset({ErrorClass.GPU_OUT_OF_MEMORY, ErrorClass.HOST_OUT_OF_MEMORY})
# The first of these conditions that is true is the phase.
_PHASES = {
    ConditionType.FAILED: Phase.FAILED,
    ConditionType.COMPLETE: Phase.COMPLETE,
    ConditionType.SUSPENDED: Phase.SUSPENDED,
}
# What stays as it is while nothing of a study can be looked at.
_LASTING = frozenset(
    {
        ConditionType.ACCEPTED,
        ConditionType.STUDY_READY,
        ConditionType.SUSPENDED,
        ConditionType.MEMORY_GUARD_PASSED,
        ConditionType.BASELINE_MEASURED,
        ConditionType.RESULT_VALID,
    }
)
# What is worth an event when it begins to hold.
_REPORTED = {
    (ConditionType.ACCEPTED, "False"),
    (ConditionType.STUDY_READY, "False"),
    (ConditionType.RUNNING, "True"),
    (ConditionType.MEMORY_GUARD_PASSED, "False"),
    (ConditionType.RESULT_VALID, "False"),
    (ConditionType.BASELINE_MEASURED, "False"),
}


def with_fact(seen: Observed, fact: Fact, now: float) -> Mapping[str, Any]:
    """Return the status with one condition changed."""
    before = seen.status["conditions"]
    (said,) = conditions([fact], before, generation=seen.target.generation, now=now)
    return {**generation(seen), "conditions": [*others(before, fact.type), said]}


def others(known: Iterable[Mapping[str, Any]], type_: ConditionType) -> list[Mapping[str, Any]]:
    """Return the conditions of all types but one."""
    return [condition for condition in known if condition["type"] != type_]


def generation(seen: Observed) -> Mapping[str, Any]:
    """Return the status as it was written, as one of what is asked for now."""
    return {**seen.status, "observedGeneration": seen.target.generation}


def running_facts(seen: Observed) -> list[Fact]:
    """Return the conditions of a study that is to be run."""
    facts = [accepted(seen), ready(), running_fact(seen.job, seen.pods, seen.target.runners)]
    if seen.study is not None:
        facts += judged(seen.study)
    return facts


def accepted(seen: Observed) -> Fact:
    """Return the condition of a resource that is valid and allowed, with what is probably not meant."""
    return Fact(ConditionType.ACCEPTED, "True", Reason.VALID, seen.target.caution)


def not_accepted(rejection: Problem) -> Fact:
    """Return the condition of a resource that is refused."""
    return Fact(ConditionType.ACCEPTED, "False", rejection.reason, rejection.message)


def ready() -> Fact:
    """Return the condition of a study that exists."""
    return Fact(ConditionType.STUDY_READY, "True", Reason.STUDY_OPEN)


def judged(study: StudySeen) -> tuple[Fact, ...]:
    """What a study's own figures say; what is wrong with its default or its best, only where it is so."""
    facts = [_guard(study), *_without_baseline(study)]
    if study.distrust is not None:
        problem = study.distrust
        facts.append(Fact(ConditionType.RESULT_VALID, "False", problem.reason, problem.message))
    return tuple(facts)


def _without_baseline(study: StudySeen) -> Iterable[Fact]:
    """Say that the baseline cannot run, why, and what the gains are over instead."""
    failure = study.figures.get("baselineFailure")
    if failure is None:
        return
    best = study.figures.get("best") or {}
    reference = f"trial {best['reference']}" if "reference" in best else "none yet"
    why = f"{failure['class']}: {failure.get('lastMessage', '')}"
    text = f"the baseline cannot run here ({why}); the reference is the best configuration: {reference}"
    yield Fact(ConditionType.BASELINE_MEASURED, "False", Reason.BASELINE_INFEASIBLE, text)


def _guard(study: StudySeen) -> Fact:
    trips = [error for error in study.figures.get("errors", ()) if error["class"] in _MEMORY_CLASSES]
    if not trips:
        return Fact(ConditionType.MEMORY_GUARD_PASSED, "True", Reason.WITHIN_LIMITS)
    count = sum(error["count"] for error in trips)
    text = f"{count} trials did not fit into memory; the last: {trips[0]['lastMessage']}"
    return Fact(ConditionType.MEMORY_GUARD_PASSED, "False", Reason.GUARD_TRIPPED, text)


def last_said(seen: Observed) -> list[Fact]:
    """Return what was last said of what is asked for now, but for runners, the end and refusals."""
    if seen.status.get("observedGeneration") != seen.target.generation:
        return []
    return [
        Fact(ConditionType(said["type"]), said["status"], reason, said["message"])
        for said in seen.status.get("conditions", ())
        if said["type"] in _LASTING and (reason := reason_called(said["reason"])) is not None
    ]


def status_plan(
    seen: Observed,
    facts: list[Fact],
    now: float,
    study: StudySeen | None = None,
    *,
    recheck: float | None = None,
) -> Plan:
    """Return the plan that only says how things are; what no study says stays as it was."""
    figures = {field: value for field, value in seen.status.items() if field in FIGURES}
    if study is not None:
        figures = dict(study.figures)
    listed = conditions(facts, seen.status.get("conditions", ()), generation=seen.target.generation, now=now)
    status = {
        **figures,
        "observedGeneration": seen.target.generation,
        **_last_started(seen),
        "phase": (phase := _phase(facts, figures)),
        "reason": _reason(phase, facts),
        "conditions": listed,
    }
    better = _improvement(seen.status.get("best"), figures.get("best"))
    is_new = figures.get("best") != seen.status.get("best")
    again = seen.is_blocked and "best" in figures
    actions: tuple[Action, ...] = (WriteBest(),) if is_new or again else ()
    return Plan(actions, status, (*_turns(seen, facts), *better), recheck)


def found(study: StudySeen) -> tuple[str, ...]:
    """Return what a study found, in one line, where it found something."""
    best = study.figures.get("best") or {}
    line = best.get("summary") or study.figures.get("verdict")
    return (line,) if line else ()


def _last_started(seen: Observed) -> dict[str, str]:
    """Say what runners were last started for: an ended study is opened again for another manifest."""
    before = seen.status.get("manifestHash")
    started = seen.target.manifest_hash if seen.job is not None else before
    return {} if started is None else {"manifestHash": started}


def _improvement(before: Mapping[str, Any] | None, best: Mapping[str, Any] | None) -> tuple[Event, ...]:
    """Say that the search has a better trial now; the first is no improvement on anything."""
    if before is None or best is None or before["trial"] == best["trial"] or best.get("confirmed"):
        return ()
    return (Event(Reason.BEST_IMPROVED, f"trial {best['trial']}: {best.get('headline', '')}"),)


def _turns(seen: Observed, facts: Iterable[Fact]) -> tuple[Event, ...]:
    """What has just begun to hold and is worth an event."""
    return tuple(
        Event(
            Reason.STARTED if fact.type is ConditionType.RUNNING else fact.reason,
            fact.message,
            warning=fact.status == "False",
        )
        for fact in facts
        if (fact.type, fact.status) in _REPORTED and not _said(seen, fact)
    )


def _said(seen: Observed, fact: Fact) -> bool:
    said = seen.condition(fact.type)
    return said is not None and said["status"] == fact.status


def _phase(facts: Iterable[Fact], figures: Mapping[str, Any]) -> Phase:
    held = {fact.type for fact in facts if fact.status == "True"}
    for type_, phase in _PHASES.items():
        if type_ in held:
            return phase
    if (ConditionType.ACCEPTED, "False") in {(fact.type, fact.status) for fact in facts}:
        return Phase.REJECTED
    if ConditionType.RUNNING not in held:
        return Phase.PENDING
    progress = figures.get("progress") or {}
    return Phase.CONFIRMING if progress.get("confirmFinished") else Phase.RUNNING


def _reason(phase: Phase, facts: Iterable[Fact]) -> str:
    """Return why it is in `phase`, in a line that fits into a table; nothing where the phase says it."""
    said = [fact for fact in facts if (fact.type, fact.status) in _EXPLAINED.get(phase, ())]
    if not said:
        return ""
    line = " ".join((said[0].message or said[0].reason).split())
    return line if len(line) <= _LONGEST_REASON else line[: _LONGEST_REASON - 1] + "…"
