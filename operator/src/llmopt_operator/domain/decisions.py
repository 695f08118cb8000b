"""What to do next about one resource. Pure: the same observed state gives the same plan.

Level-triggered: nothing is remembered between two decisions but what the cluster and the study hold, so it
may be interrupted between any two actions. The name of a Job follows from the settings of its runners, so a
second one for the same can never be created.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from llmopt_core.api.conditions import ConditionType
from llmopt_core.api.exit_codes import RunnerExit
from llmopt_core.api.explanations import comes_back
from llmopt_core.api.reasons import Reason, reason_called
from llmopt_core.errors.classes import ErrorClass
from llmopt_operator.domain.actions import (
    Action,
    DeleteResource,
    EndStudy,
    Event,
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
from llmopt_operator.domain.observed import JobEnd, JobSeen, Observed, Problem
from llmopt_operator.domain.rollouts import turn
from llmopt_operator.domain.runners import failure_of, last_failure, running_fact
from llmopt_operator.domain.statuses import (
    accepted,
    found,
    generation,
    judged,
    last_said,
    not_accepted,
    others,
    ready,
    running_facts,
    status_plan,
    with_fact,
)

# A Job that ended before its study did is replaced after a pause: what ended it may pass.
RESTART_PAUSE_SECONDS = 30.0
_STORAGE_RECHECK_SECONDS = 10.0
# Only events say why a Job has no pods, and they are not watched.
_PODS_RECHECK_SECONDS = 10.0
_REFUSED_RECHECK_SECONDS = 30.0


def decide(seen: Observed, now: float, *refused: Refused) -> Plan:
    """Return what must change so that the cluster comes nearer to what the resource asks for.

    `now` is in Unix seconds. Carrying a plan out twice, or in part, is harmless. What was just `refused` is
    not asked for again: the status says why.
    """
    plan = next(plan for step in _STEPS if (plan := step(seen, now)) is not None)
    return _reported(seen, plan, refused, now) if _met(plan, refused) else plan


def blocked(seen: Observed, plan: Plan, now: float, *problems: Problem) -> Plan:
    """Return `plan` with a status that says what is refused: the first of `problems` is the reason."""
    before = seen.status.get("conditions", ())
    message = "; ".join(dict.fromkeys(problem.message for problem in problems))
    fact = Fact(ConditionType.BLOCKED, "True", problems[0].reason, message)
    (said,) = conditions([fact], before, generation=seen.target.generation, now=now)
    known = seen.condition(fact.type)
    news = tuple(_warning(problem) for problem in problems if not _is_said(known, problem))
    status = {**plan.status, "conditions": [*others(plan.status["conditions"], fact.type), said]}
    return replace(plan, status=status, events=(*plan.events, *news))


def unseen(seen: Observed, problem: Problem, now: float) -> Plan:
    """Return the plan where `problem` kept the study, or what the resource needs, from being looked at.

    Nothing is done: what was last said stays, but for the runners, which the watches report.
    """
    if seen.rolls_out:
        return _not_rolled_out(seen, problem, now)
    if seen.was_ended:
        return blocked(seen, Plan(status=seen.status), now, problem)
    running = Fact(ConditionType.RUNNING, "False", problem.reason, problem.message)
    if seen.job is not None:
        running = running_fact(seen.job, seen.pods, seen.target.runners)
    elif seen.target.suspend:
        running = Fact(ConditionType.RUNNING, "False", Reason.SUSPENDED, "the runners have ended")
    plan = status_plan(seen, [*last_said(seen), running], now)
    return replace(blocked(seen, plan, now, problem), actions=())


def _met(plan: Plan, refused: Sequence[Refused]) -> tuple[Refused, ...]:
    """Return what of `refused` the plan would ask for."""
    return tuple(each for each in refused if any(isinstance(action, each.action) for action in plan.actions))


def _reported(seen: Observed, plan: Plan, refused: Sequence[Refused], now: float) -> Plan:
    """Say what is refused, along with all else that is known; nothing of it is asked for again.

    What keeps the study from running is said before what can only be refused beside a status.
    """
    met = _met(plan, refused)
    for each in met:
        if each.action is WriteArguments:
            return _not_rolled_out(seen, each.problem, now)
    if not plan.status:
        plan = status_plan(seen, _blocked_facts(seen, met[0].problem), now, seen.study)
        met += _met(plan, refused)
    types = tuple(each.action for each in refused)
    kept = tuple(action for action in plan.actions if not isinstance(action, types))
    return replace(blocked(seen, plan, now, *(each.problem for each in met)), actions=kept)


def _not_rolled_out(seen: Observed, problem: Problem, now: float) -> Plan:
    fact = Fact(ConditionType.ROLLED_OUT, "False", problem.reason, problem.message)
    known = seen.condition(fact.type)
    said = Event(Reason.ROLLOUT_REFUSED, problem.message, warning=True)
    news = () if known is not None and known["reason"] == fact.reason else (said,)
    return Plan((), with_fact(seen, fact, now), news)


def _is_said(condition: Mapping[str, Any] | None, problem: Problem) -> bool:
    """Whether the condition, as it was last written, says `problem`."""
    if condition is None:
        return False
    return condition["reason"] == problem.reason or problem.message in condition["message"]


def _blocked_facts(seen: Observed, problem: Problem) -> list[Fact]:
    first = accepted(seen) if seen.rejection is None else not_accepted(seen.rejection)
    running = Fact(ConditionType.RUNNING, "False", problem.reason, problem.message)
    if seen.job is not None:
        running = running_fact(seen.job, seen.pods, seen.target.runners)
    known = () if seen.study is None else (ready(), *judged(seen.study))
    return [first, running, *known]


def _warning(problem: Problem) -> Event:
    return Event(problem.reason, problem.message, warning=True)


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
        return status_plan(seen, running_facts(seen), now)
    if job.end is not None:
        return _without_end(seen, job, now)
    again = _PODS_RECHECK_SECONDS if seen.lacks_pods else None
    return status_plan(seen, running_facts(seen), now, study, recheck=again)


def _without_end(seen: Observed, job: JobSeen, now: float) -> Plan:
    """The Job ended and the study did not: judge by the study, and by how the runners ended."""
    pod = last_failure(job, seen.pods)
    if job.end is JobEnd.FAILED and (pod is None or pod.exit_code != RunnerExit.STORAGE):
        why = failure_of(pod) if pod else Problem(Reason.RUNNERS_FAILED, "no runner could do its work")
        return Plan((EndStudy(why.reason, f"{why.message}; Job {job.name}: {job.message}", failed=True),))
    wait = (job.ended_at or now) + RESTART_PAUSE_SECONDS - now
    if wait > 0:
        return status_plan(seen, running_facts(seen), now, seen.study, recheck=wait)
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
        return Plan(status=generation(seen))
    if seen.storage is not None:
        return Plan(status=generation(seen), recheck_seconds=_STORAGE_RECHECK_SECONDS)
    actions: tuple[Action, ...] = (WriteBest(),) if "best" in seen.status else ()
    status = {**generation(seen), "conditions": others(seen.status["conditions"], ConditionType.BLOCKED)}
    return Plan(actions, status)


def _rolling_out(seen: Observed, now: float) -> Plan:
    """Only one condition of what has ended still changes."""
    next_turn = turn(seen, now)
    if next_turn.actions:
        return Plan(next_turn.actions, events=next_turn.events)
    status = with_fact(seen, next_turn.fact, now)
    return Plan((), status, next_turn.events, next_turn.recheck_seconds)


def _refused(seen: Observed, now: float) -> Plan | None:
    if seen.rejection is None:
        return None
    running = [job for job in seen.jobs if not job.deleting]
    if running:
        return Plan(tuple(StopRunners(job.name) for job in running))
    facts = [
        not_accepted(seen.rejection),
        Fact(ConditionType.RUNNING, "False", Reason.NOT_ACCEPTED, "correct the resource, then it is run"),
    ]
    # Nobody reports a Secret that was created or labelled.
    again = _REFUSED_RECHECK_SECONDS if comes_back(seen.rejection.reason) else None
    return status_plan(seen, facts, now, recheck=again)


def _replacing(seen: Observed, now: float) -> Plan | None:
    """Runners of an earlier manifest give their trials back before those of the new one begin."""
    others = [job for job in seen.jobs if job is not seen.job]
    if not others:
        return None
    if stops := tuple(StopRunners(job.name) for job in others if not job.deleting):
        return Plan(stops)
    facts = [
        accepted(seen),
        Fact(ConditionType.RUNNING, "False", Reason.REPLACING, "runners of the earlier manifest are ending"),
    ]
    return status_plan(seen, facts, now)


def _without_storage(seen: Observed, now: float) -> Plan | None:
    """Runners that run go on: they wait for the storage themselves."""
    if seen.storage is None:
        return None
    facts = [
        accepted(seen),
        Fact(ConditionType.STUDY_READY, "False", seen.storage.reason, seen.storage.message),
        running_fact(seen.job, seen.pods, seen.target.runners)
        if seen.job
        else Fact(ConditionType.RUNNING, "False", seen.storage.reason, "waits for the study"),
    ]
    recheck = seen.storage.retry_seconds or _STORAGE_RECHECK_SECONDS
    return status_plan(seen, facts, now, recheck=recheck)


def _without_study(seen: Observed, _now: float) -> Plan | None:
    """A study that vanished under its runners is begun again by new ones."""
    if seen.study is not None:
        return None
    running = [job for job in seen.jobs if not job.deleting]
    if running:
        return Plan(
            tuple(StopRunners(job.name) for job in running),
            events=(
                Event(
                    Reason.STUDY_LOST,
                    "the study is not in the storage any more: it starts again",
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
        accepted(seen),
        ready(),
        Fact(ConditionType.RUNNING, "False", reason, "the study has ended"),
        *judged(study),
        Fact(ConditionType.FAILED if end.failed else ConditionType.COMPLETE, "True", reason, end.message),
    ]
    plan = status_plan(seen, facts, now, study)
    said = Event(reason, "; ".join((end.message, *found(study))), warning=end.failed)
    # What comes after the end is done once the end was reported.
    comes_more = seen.target.rollout is not None or seen.target.ttl_seconds is not None
    again = 0.0 if comes_more else None
    return replace(plan, events=(*plan.events, said), recheck_seconds=again)


def _suspended(seen: Observed, now: float) -> Plan | None:
    if not seen.target.suspend:
        return None
    if seen.job is not None and not seen.job.deleting:
        return Plan((StopRunners(seen.job.name),))
    done = "the runners have ended" if seen.job is None else "the runners give their trials back"
    facts = [
        accepted(seen),
        ready(),
        Fact(ConditionType.RUNNING, "False", Reason.SUSPENDED, done),
        Fact(
            ConditionType.SUSPENDED,
            "True",
            Reason.SUSPENDED_BY_USER,
            "spec.suspend is true: set it to false to go on",
        ),
    ]
    return status_plan(seen, facts, now, seen.study)


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
