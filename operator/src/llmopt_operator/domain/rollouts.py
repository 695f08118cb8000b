"""What becomes of a proven winner: into the Deployment, watched, and taken back where it does not serve.

What was there before stands in the Deployment itself, written along with the winner: so nothing is lost
whenever the operator ends, and a person can read and undo it without us.
"""

from dataclasses import dataclass, replace

from llmopt_core.api.conditions import ConditionType
from llmopt_core.api.explanations import comes_back
from llmopt_core.api.reasons import ConditionReason, Reason
from llmopt_core.engines.arguments import ServeArguments
from llmopt_core.engines.declarations import EXPANSION
from llmopt_operator.domain.actions import Action, Event, WriteArguments
from llmopt_operator.domain.conditions import Fact
from llmopt_operator.domain.observed import (
    Availability,
    DeploymentSeen,
    Observed,
    Problem,
    RolloutNote,
)
from llmopt_operator.domain.shells import starts_script

# A Deployment that neither serves nor says that it cannot is taken back after this.
LONGEST_SECONDS = 3600.0
_LOOK_SECONDS = 5.0
_MISSING_SECONDS = 30.0


@dataclass(frozen=True)
class Turn:
    """What to do about a Deployment now, and what the condition RolledOut says."""

    fact: Fact
    actions: tuple[Action, ...] = ()
    events: tuple[Event, ...] = ()
    recheck_seconds: float | None = None


def turn(seen: Observed, now: float) -> Turn:
    """Return what is next for the winner of an ended study; `now` is in Unix seconds."""
    problem = next((found for look in _OBSTACLES if (found := look(seen)) is not None), None)
    if problem is not None:
        again = _MISSING_SECONDS if comes_back(problem.reason) else None
        return Turn(_no(problem.reason, problem.message), recheck_seconds=again)
    deployment, target = _deployment(seen), seen.target
    note = deployment.note
    if note is None or (note.uid, note.manifest_hash) != (target.uid, target.manifest_hash):
        return _begin(seen, deployment, now)
    return _watch(deployment, note, now)


def _of_the_resource(seen: Observed) -> Problem | None:
    return seen.rejection or seen.storage


def _of_the_study(seen: Observed) -> Problem | None:
    if seen.study is None:
        return Problem(Reason.STUDY_LOST, "the study is not in the storage any more")
    if seen.study.distrust is not None:
        return seen.study.distrust
    winner = seen.study.winner
    if winner is None or not winner.proven:
        text = "no repeats proved a gain over the baseline: nothing is changed"
        return Problem(Reason.NO_SIGNIFICANT_GAIN, text)
    text = _not_by_arguments(winner.arguments)
    return Problem(Reason.NOT_BY_ARGUMENTS, text) if text else None


def _not_by_arguments(arguments: ServeArguments | None) -> str:
    """Return why a winner cannot be written as `arguments`, "" where it can."""
    if arguments is None:
        return "the engine has no command line: the parameters go with each request"
    if arguments.omitted:
        return f"what was proved cannot be said by arguments alone: {'; '.join(arguments.omitted)}"
    if any(EXPANSION in argument for argument in arguments.given):
        return f"an argument holds {EXPANSION}, which Kubernetes would replace by the value of a variable"
    return ""


def _of_the_deployment(seen: Observed) -> Problem | None:
    if not isinstance(seen.deployment, DeploymentSeen):
        return seen.deployment or Problem(Reason.DEPLOYMENT_NOT_FOUND, "it was not looked for yet")
    name, container = seen.deployment.name, _container(seen)
    if container not in seen.deployment.containers:
        has = ", ".join(seen.deployment.containers)
        return Problem(Reason.CONTAINER_NOT_FOUND, f"Deployment {name} has no such container; it has {has}")
    command, arguments = seen.deployment.containers[container]
    if starts_script(command, arguments):
        text = f"container {container} starts a shell or a script, not the server: start the server itself"
        return Problem(Reason.NOT_BY_ARGUMENTS, text)
    return None


_OBSTACLES = (_of_the_resource, _of_the_study, _of_the_deployment)


def _deployment(seen: Observed) -> DeploymentSeen:
    assert isinstance(seen.deployment, DeploymentSeen)  # noqa: S101 - else it was an obstacle
    return seen.deployment


def _container(seen: Observed) -> str:
    wanted = seen.target.rollout and seen.target.rollout.container
    return wanted or next(iter(_deployment(seen).containers), "")


def _begin(seen: Observed, deployment: DeploymentSeen, now: float) -> Turn:
    said_before = seen.condition(ConditionType.ROLLED_OUT)
    if said_before is not None and said_before["reason"] == Reason.IN_PROGRESS:
        return Turn(
            _no(Reason.SUPERSEDED, f"Deployment {deployment.name} was given something else meanwhile")
        )
    winner = seen.study.winner if seen.study else None
    assert winner is not None  # noqa: S101 - else it was an obstacle
    assert winner.arguments is not None  # noqa: S101 - as above
    container = _container(seen)
    _, former = deployment.containers[container]
    note = RolloutNote(
        uid=seen.target.uid,
        manifest_hash=seen.target.manifest_hash,
        trial=winner.trial,
        container=container,
        former=former,
        arguments=winner.arguments.merged(former),
        started_at=now,
    )
    said = f"Deployment {deployment.name} is given the arguments of trial {winner.trial}"
    return Turn(
        _no(Reason.IN_PROGRESS, said),
        (WriteArguments(deployment.name, deployment.version, note),),
        (Event(Reason.ROLLOUT_STARTED, said),),
    )


def _watch(deployment: DeploymentSeen, note: RolloutNote, now: float) -> Turn:
    where = f"Deployment {deployment.name}"
    if note.failure:
        return Turn(_no(Reason.ROLLED_BACK, f"{where} was given its former arguments again: {note.failure}"))
    _, arguments = deployment.containers.get(note.container, ((), ()))
    if arguments != note.arguments:
        return Turn(
            _no(Reason.SUPERSEDED, f"{where} was given other arguments since: they are not overwritten")
        )
    if deployment.availability is Availability.AVAILABLE:
        said = f"{where} serves with the arguments of trial {note.trial}"
        return Turn(
            Fact(ConditionType.ROLLED_OUT, "True", Reason.AVAILABLE, said),
            events=(Event(Reason.ROLLED_OUT, said),),
        )
    late = now - note.started_at > LONGEST_SECONDS
    if deployment.availability is Availability.FAILED or late:
        return _take_back(deployment, note)
    return Turn(_no(Reason.IN_PROGRESS, f"{where}: {deployment.message}"), recheck_seconds=_LOOK_SECONDS)


def _take_back(deployment: DeploymentSeen, note: RolloutNote) -> Turn:
    why = f"it did not become available: {deployment.message}"
    back = WriteArguments(deployment.name, deployment.version, replace(note, failure=why))
    said = f"Deployment {deployment.name} is given its former arguments again: {why}"
    return Turn(_no(Reason.IN_PROGRESS, said), (back,), (Event(Reason.ROLLED_BACK, said, warning=True),))


def _no(reason: ConditionReason, message: str) -> Fact:
    return Fact(ConditionType.ROLLED_OUT, "False", reason, message)
