"""What to do next about one resource. Pure: the same sight gives the same plan.

Level-triggered: nothing is remembered between two decisions but what the cluster and the study hold, so it
may be interrupted between any two actions. The name of a Job follows from what its runners are told, so a
second one for the same can never be created.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from llmopt_core.api.conditions import ConditionType, Phase
from llmopt_core.api.exit_codes import RunnerExit
from llmopt_core.api.explanations import comes_back
from llmopt_core.api.reasons import Reason, reason_called
from llmopt_core.errors.classes import ErrorClass
from llmopt_operator.domain.actions import (
    Action,
    DeleteResource,
    EndStudy,
    Happening,
    MakeStudy,
    Plan,
    Refused,
    ReopenStudy,
    StartRunners,
    StopRunners,
    WriteArguments,
    WriteBest,
)
from llmopt_operator.domain.conditions import Fact, conditions, unix_seconds
from llmopt_operator.domain.observed import FIGURES, JobEnd, JobSeen, Observed, Problem, StudySeen
from llmopt_operator.domain.rollouts import turn
from llmopt_operator.domain.runners import (
    failure_of,
    last_failure,
    running_fact,
)

# A Job that ended before its study did is replaced after a pause: what ended it may pass.
RESTART_PAUSE_SECONDS = 30.0
_STORAGE_RECHECK_SECONDS = 10.0
_REFUSED_RECHECK_SECONDS = 30.0
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


def decide(seen: Observed, now: float, refused: Refused | None = None) -> Plan:
    """Return what must change so that the cluster comes nearer to what the resource asks for.

    `now` is in Unix seconds. Carrying a plan out twice, or in part, is harmless. What was just `refused` is
    not asked for again: the status says why.
    """
    plan = next(plan for step in _STEPS if (plan := step(seen, now)) is not None)
    if refused is None or not any(isinstance(action, refused.action) for action in plan.actions):
        return plan
    return _reported(seen, plan, refused, now)


def blocked(seen: Observed, plan: Plan, problem: Problem, now: float) -> Plan:
    """Return `plan` with a status that says that something is refused."""
    before = seen.status.get("conditions", ())
    fact = Fact(ConditionType.BLOCKED, "True", problem.reason, problem.message)
    (said,) = conditions([fact], before, generation=seen.target.generation, now=now)
    known = seen.condition(fact.type)
    news = () if known is not None and known["reason"] == fact.reason else (_warning(problem),)
    status = {**plan.status, "conditions": [*_others(plan.status["conditions"], fact.type), said]}
    return replace(plan, status=status, happenings=(*plan.happenings, *news))


def _reported(seen: Observed, plan: Plan, refused: Refused, now: float) -> Plan:
    """Say what is refused, along with all else that is known."""
    if refused.action is WriteArguments:
        fact = Fact(ConditionType.ROLLED_OUT, "False", refused.problem.reason, refused.problem.message)
        known = seen.condition(fact.type)
        said = Happening(Reason.ROLLOUT_REFUSED, refused.problem.message, warning=True)
        news = () if known is not None and known["reason"] == fact.reason else (said,)
        return Plan((), _with_fact(seen, fact, now), news)
    kept = tuple(action for action in plan.actions if not isinstance(action, refused.action))
    if not plan.status:
        plan = _status(seen, _blocked_facts(seen, refused.problem), now, seen.study)
        kept = tuple(action for action in plan.actions if not isinstance(action, refused.action))
    return replace(blocked(seen, plan, refused.problem, now), actions=kept)


def _blocked_facts(seen: Observed, problem: Problem) -> list[Fact]:
    accepted = _accepted() if seen.rejection is None else _not_accepted(seen.rejection)
    running = Fact(ConditionType.RUNNING, "False", problem.reason, problem.message)
    if seen.job is not None:
        running = running_fact(seen.job, seen.pods, seen.target.runners)
    known = () if seen.study is None else (_ready(), *_judged(seen.study))
    return [accepted, running, *known]


def _warning(problem: Problem) -> Happening:
    return Happening(problem.reason, problem.message, warning=True)


def _in_progress(seen: Observed, now: float) -> Plan:
    study, job, longest = seen.study, seen.job, seen.target.longest_seconds
    assert study is not None  # noqa: S101 - a step before looked
    if longest is not None and study.active_seconds > longest:
        text = f"the runners did not end by themselves within {longest:.0f} s of active time"
        stops = (StopRunners(job.name),) if job is not None and not job.deleting else ()
        return Plan((*stops, EndStudy(Reason.DEADLINE_EXCEEDED, text, failed=False)))
    if job is None:
        return Plan((StartRunners(),))
    if job.deleting:
        return _status(seen, _running_facts(seen), now)
    if job.end is not None:
        return _without_end(seen, job, now)
    return _status(seen, _running_facts(seen), now, study)


def _without_end(seen: Observed, job: JobSeen, now: float) -> Plan:
    """The Job ended and the study did not: judge by the study, and by how the runners ended."""
    pod = last_failure(job, seen.pods)
    if job.end is JobEnd.FAILED and (pod is None or pod.exit_code != RunnerExit.STORAGE):
        why = failure_of(pod) if pod else Problem(Reason.RUNNERS_FAILED, "no runner could do its work")
        return Plan((EndStudy(why.reason, f"{why.message}; Job {job.name}: {job.message}", failed=True),))
    wait = (job.ended_at or now) + RESTART_PAUSE_SECONDS - now
    if wait > 0:
        return _status(seen, _running_facts(seen), now, seen.study, recheck=wait)
    return Plan((StopRunners(job.name),))


def _after_the_end(seen: Observed, now: float) -> Plan | None:
    """Nothing is done about what has ended but to delete it in time."""
    if not seen.was_ended:
        return None
    if seen.rolls_out:
        return _rolling_out(seen, now)
    if seen.target.ttl_seconds is None:
        return _settled(seen)
    ended = max(
        unix_seconds(condition["lastTransitionTime"])
        for condition in seen.status["conditions"]
        if condition["type"] in {ConditionType.COMPLETE, ConditionType.FAILED}
        and condition["status"] == "True"
    )
    left = ended + seen.target.ttl_seconds - now
    if left <= 0:
        return Plan((DeleteResource(),), seen.status)
    return replace(_settled(seen), recheck_seconds=left)


def _settled(seen: Observed) -> Plan:
    """What ended changes no more, unless something of it was refused: that is tried again."""
    if not seen.is_blocked:
        return Plan(status=_generation(seen))
    if seen.storage is not None:
        return Plan(status=_generation(seen), recheck_seconds=_STORAGE_RECHECK_SECONDS)
    actions: tuple[Action, ...] = (WriteBest(),) if "best" in seen.status else ()
    status = {**_generation(seen), "conditions": _others(seen.status["conditions"], ConditionType.BLOCKED)}
    return Plan(actions, status)


def _rolling_out(seen: Observed, now: float) -> Plan:
    """Only one condition of what has ended still changes."""
    next_turn = turn(seen, now)
    if next_turn.actions:
        return Plan(next_turn.actions, happenings=next_turn.happenings)
    status = _with_fact(seen, next_turn.fact, now)
    return Plan((), status, next_turn.happenings, next_turn.recheck_seconds)


def _with_fact(seen: Observed, fact: Fact, now: float) -> Mapping[str, Any]:
    """Return the status with one condition changed."""
    before = seen.status["conditions"]
    (said,) = conditions([fact], before, generation=seen.target.generation, now=now)
    return {**_generation(seen), "conditions": [*_others(before, fact.type), said]}


def _others(known: Iterable[Mapping[str, Any]], type_: ConditionType) -> list[Mapping[str, Any]]:
    return [condition for condition in known if condition["type"] != type_]


def _generation(seen: Observed) -> Mapping[str, Any]:
    return {**seen.status, "observedGeneration": seen.target.generation}


def _refused(seen: Observed, now: float) -> Plan | None:
    if seen.rejection is None:
        return None
    running = [job for job in seen.jobs if not job.deleting]
    if running:
        return Plan(tuple(StopRunners(job.name) for job in running))
    facts = [
        _not_accepted(seen.rejection),
        Fact(ConditionType.RUNNING, "False", Reason.NOT_ACCEPTED, "correct the resource, then it is run"),
    ]
    # Nobody reports a Secret that was created or labelled.
    again = _REFUSED_RECHECK_SECONDS if comes_back(seen.rejection.reason) else None
    return _status(seen, facts, now, recheck=again)


def _replacing(seen: Observed, now: float) -> Plan | None:
    """Runners of an earlier manifest give their trials back before those of the new one begin."""
    others = [job for job in seen.jobs if job is not seen.job]
    if not others:
        return None
    if stops := tuple(StopRunners(job.name) for job in others if not job.deleting):
        return Plan(stops)
    facts = [
        _accepted(),
        Fact(ConditionType.RUNNING, "False", Reason.REPLACING, "runners of the earlier manifest are ending"),
    ]
    return _status(seen, facts, now)


def _without_storage(seen: Observed, now: float) -> Plan | None:
    """Runners that run go on: they wait for the storage themselves."""
    if seen.storage is None:
        return None
    facts = [
        _accepted(),
        Fact(ConditionType.STUDY_READY, "False", seen.storage.reason, seen.storage.message),
        running_fact(seen.job, seen.pods, seen.target.runners)
        if seen.job
        else Fact(ConditionType.RUNNING, "False", seen.storage.reason, "waits for the study"),
    ]
    recheck = seen.storage.retry_seconds or _STORAGE_RECHECK_SECONDS
    return _status(seen, facts, now, recheck=recheck)


def _without_study(seen: Observed, _now: float) -> Plan | None:
    """A study that vanished under its runners is begun again by new ones."""
    if seen.study is not None:
        return None
    running = [job for job in seen.jobs if not job.deleting]
    if running:
        return Plan(
            tuple(StopRunners(job.name) for job in running),
            happenings=(
                Happening(
                    Reason.STUDY_LOST,
                    "the study is not in the storage any more: it begins anew",
                    warning=True,
                ),
            ),
        )
    if seen.target.suspend or seen.jobs:
        return Plan((MakeStudy(),))
    return Plan((MakeStudy(), StartRunners()))


def _ended(seen: Observed, now: float) -> Plan | None:
    study = seen.study
    if study is None or (end := study.ended) is None:
        return None
    if seen.job is None and seen.status.get("manifestHash") != seen.target.manifest_hash:
        return Plan((ReopenStudy(),))
    reason = reason_called(end.reason) or ErrorClass.UNKNOWN
    facts = [
        _accepted(),
        _ready(),
        Fact(ConditionType.RUNNING, "False", reason, "the study has ended"),
        *_judged(study),
        Fact(ConditionType.FAILED if end.failed else ConditionType.COMPLETE, "True", reason, end.message),
    ]
    plan = _status(seen, facts, now, study)
    said = Happening(reason, "; ".join((end.message, *_found(study))), warning=end.failed)
    # What comes after the end is done once the end was told.
    comes_more = seen.target.rollout is not None or seen.target.ttl_seconds is not None
    again = 0.0 if comes_more else None
    return replace(plan, happenings=(*plan.happenings, said), recheck_seconds=again)


def _suspended(seen: Observed, now: float) -> Plan | None:
    if not seen.target.suspend:
        return None
    if seen.job is not None and not seen.job.deleting:
        return Plan((StopRunners(seen.job.name),))
    done = "the runners have ended" if seen.job is None else "the runners give their trials back"
    facts = [
        _accepted(),
        _ready(),
        Fact(ConditionType.RUNNING, "False", Reason.SUSPENDED, done),
        Fact(
            ConditionType.SUSPENDED,
            "True",
            Reason.SUSPENDED_BY_USER,
            "spec.suspend is true: set it to false to go on",
        ),
    ]
    return _status(seen, facts, now, seen.study)


def _running_facts(seen: Observed) -> list[Fact]:
    facts = [_accepted(), _ready(), running_fact(seen.job, seen.pods, seen.target.runners)]
    if seen.study is not None:
        facts += _judged(seen.study)
    return facts


def _accepted() -> Fact:
    return Fact(ConditionType.ACCEPTED, "True", Reason.VALID)


def _not_accepted(rejection: Problem) -> Fact:
    return Fact(ConditionType.ACCEPTED, "False", rejection.reason, rejection.message)


def _ready() -> Fact:
    return Fact(ConditionType.STUDY_READY, "True", Reason.STUDY_OPEN)


def _judged(study: StudySeen) -> tuple[Fact, ...]:
    """What a study's own figures say; what is wrong with its default or its best, only where it is so."""
    facts = [_guard(study), *_without_baseline(study)]
    if study.distrust is not None:
        problem = study.distrust
        facts.append(Fact(ConditionType.RESULT_VALID, "False", problem.reason, problem.message))
    return tuple(facts)


def _without_baseline(study: StudySeen) -> Iterable[Fact]:
    """Say that the default cannot run, why, and what the gains are over instead."""
    failure = study.figures.get("baselineFailure")
    if failure is None:
        return
    best = study.figures.get("best") or {}
    reference = f"trial {best['reference']}" if "reference" in best else "none yet"
    why = f"{failure['class']}: {failure.get('lastMessage', '')}"
    text = f"the default cannot run here ({why}); the reference is the best configuration: {reference}"
    yield Fact(ConditionType.BASELINE_MEASURED, "False", Reason.BASELINE_INFEASIBLE, text)


def _guard(study: StudySeen) -> Fact:
    trips = [error for error in study.figures.get("errors", ()) if error["class"] in _MEMORY_CLASSES]
    if not trips:
        return Fact(ConditionType.MEMORY_GUARD_PASSED, "True", Reason.WITHIN_LIMITS)
    count = sum(error["count"] for error in trips)
    text = f"{count} trials did not fit into memory; the last: {trips[0]['lastMessage']}"
    return Fact(ConditionType.MEMORY_GUARD_PASSED, "False", Reason.GUARD_TRIPPED, text)


def _status(
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


def _found(study: StudySeen) -> tuple[str, ...]:
    """What a study found, in one line, where it found something."""
    best = study.figures.get("best") or {}
    line = best.get("summary") or study.figures.get("verdict")
    return (line,) if line else ()


def _last_started(seen: Observed) -> dict[str, str]:
    """Say what runners were last started for: an ended study is opened again for another manifest."""
    before = seen.status.get("manifestHash")
    started = seen.target.manifest_hash if seen.job is not None else before
    return {} if started is None else {"manifestHash": started}


def _improvement(before: Mapping[str, Any] | None, best: Mapping[str, Any] | None) -> tuple[Happening, ...]:
    """Say that the search has a better trial now; the first is no improvement on anything."""
    if before is None or best is None or before["trial"] == best["trial"] or best.get("confirmed"):
        return ()
    return (Happening(Reason.BEST_IMPROVED, f"trial {best['trial']}: {best.get('headline', '')}"),)


def _turns(seen: Observed, facts: Iterable[Fact]) -> tuple[Happening, ...]:
    """What has just begun to hold and is worth an event."""
    return tuple(
        Happening(
            Reason.STARTED if fact.type is ConditionType.RUNNING else fact.reason,
            fact.message,
            warning=fact.status == "False",
        )
        for fact in facts
        if (fact.type, fact.status) in _TOLD and not _said(seen, fact)
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


_STEPS = (
    _after_the_end,
    _refused,
    _replacing,
    _without_storage,
    _without_study,
    _ended,
    _suspended,
    _in_progress,
)
# The first of these conditions that is true is the phase.
_PHASES = {
    ConditionType.FAILED: Phase.FAILED,
    ConditionType.COMPLETE: Phase.COMPLETE,
    ConditionType.SUSPENDED: Phase.SUSPENDED,
}
_TOLD = {
    (ConditionType.ACCEPTED, "False"),
    (ConditionType.RUNNING, "True"),
    (ConditionType.MEMORY_GUARD_PASSED, "False"),
    (ConditionType.RESULT_VALID, "False"),
    (ConditionType.BASELINE_MEASURED, "False"),
}
