"""A winner on its way into a Deployment: every turn, and a small world in which anything happens between."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt_core.api.reasons import Reason
from llmopt_core.engines.arguments import ServeArguments
from llmopt_core.errors.classes import ErrorClass
from llmopt_core.storage.documents import EndReason
from llmopt_operator.domain.actions import Refused, WriteArguments
from llmopt_operator.domain.conditions import timestamp
from llmopt_operator.domain.decisions import decide, unseen
from llmopt_operator.domain.observed import (
    Availability,
    DeploymentSeen,
    Observed,
    Problem,
    RolloutNote,
    RolloutTarget,
    StudySeen,
    Target,
    Winner,
)
from llmopt_operator.domain.rollouts import LONGEST_SECONDS

AWAY = Problem(ErrorClass.STORAGE_UNAVAILABLE, "away")
NOW = 1_800_000_000.0
TARGET = Target(
    generation=3,
    manifest_hash="abcd1234",
    suspend=False,
    runners=1,
    uid="uid",
    rollout=RolloutTarget("server"),
)
SERVE = ServeArguments(("--temp", "0.0"), {"--temp": True})
WINNER = Winner(trial=7, proven=True, arguments=SERVE)
FORMER = ("serve", "--temp", "0.9")
MERGED = ("serve", "--temp", "0.0")
NOTE = RolloutNote("uid", "abcd1234", 7, "main", FORMER, MERGED, NOW - 10)
BEFORE = DeploymentSeen(
    name="server",
    version="1",
    containers={"main": (("vllm",), FORMER), "side": ((), ())},
    availability=Availability.AVAILABLE,
)
GIVEN = replace(
    BEFORE,
    containers={**BEFORE.containers, "main": (("vllm",), MERGED)},
    availability=Availability.WAITING,
    message="0 of 1 new pods are available",
    note=NOTE,
)


def _condition(type_: str, status: str, reason: str, generation: int = 3) -> dict[str, Any]:
    return {
        "type": type_,
        "status": status,
        "reason": reason,
        "message": "",
        "lastTransitionTime": timestamp(NOW - 100),
        "observedGeneration": generation,
    }


COMPLETE = _condition("Complete", "True", "TrialsExhausted")
ENDED = {"manifestHash": "abcd1234", "observedGeneration": 3, "conditions": [COMPLETE]}


def _study(winner: Winner | None = WINNER) -> StudySeen:
    return StudySeen(EndReason("TrialsExhausted", "done"), 10.0, {"study": "uid"}, winner)


def _seen(**fields: Any) -> Observed:
    return Observed(**{"target": TARGET, "status": ENDED, "study": _study(), "deployment": BEFORE, **fields})


def _said(status: Mapping[str, Any]) -> Mapping[str, Any]:
    return next(each for each in status["conditions"] if each["type"] == "RolledOut")


def test_the_end_is_reported_before_the_winner_is_written() -> None:
    """Whatever becomes of the Deployment, the study's own end is in the status first."""
    plan = decide(_seen(status={"manifestHash": "abcd1234"}), NOW)
    assert plan.status["phase"] == "Complete"
    assert plan.recheck_seconds == 0.0
    assert not [action for action in plan.actions if isinstance(action, WriteArguments)]


def test_a_proven_winner_is_written_with_what_was_there_before() -> None:
    """One action changes the arguments and notes the former ones."""
    plan = decide(_seen(), NOW)
    note = replace(NOTE, started_at=NOW)
    assert plan.actions == (WriteArguments("server", "1", note),)
    assert [each.reason for each in plan.events] == ["RolloutStarted"]


def test_a_named_container_is_the_one_that_changes() -> None:
    """Its neighbours stay as they are."""
    target = replace(TARGET, rollout=RolloutTarget("server", "side"))
    (action,) = decide(_seen(target=target), NOW).actions
    assert isinstance(action, WriteArguments)
    assert (action.note.container, action.note.given) == ("side", ("--temp", "0.0"))


@pytest.mark.parametrize(
    ("fields", "reason", "words"),
    [
        ({"study": _study(None)}, "NoSignificantGain", "nothing is changed"),
        ({"study": _study(replace(WINNER, proven=False))}, "NoSignificantGain", "nothing is changed"),
        ({"study": _study(replace(WINNER, arguments=None))}, "NotByArguments", "with each request"),
        (
            {"study": _study(replace(WINNER, arguments=replace(SERVE, omitted=("seed=3 goes …",))))},
            "NotByArguments",
            "seed=3",
        ),
        (
            {"study": _study(replace(WINNER, arguments=replace(SERVE, given=("--api-key", "$(SECRET)"))))},
            "NotByArguments",
            "$(",
        ),
        (
            {"study": replace(_study(None), distrust=Problem(Reason.PARAMETERS_OUTSIDE_SPACE, "engine.x"))},
            "ParametersOutsideSpace",
            "engine.x",
        ),
        ({"study": None}, "StudyLost", "not in the storage"),
        ({"storage": AWAY, "study": None}, "StorageUnavailable", "away"),
        ({"rejection": Problem(Reason.POLICY_DENIED, "not here")}, "PolicyDenied", "not here"),
        ({"deployment": Problem(Reason.DEPLOYMENT_NOT_FOUND, "none")}, "DeploymentNotFound", "none"),
        (
            {"target": replace(TARGET, rollout=RolloutTarget("server", "x"))},
            "ContainerNotFound",
            "it has main, side",
        ),
        (
            {"deployment": replace(BEFORE, containers={"main": (("/bin/sh", "-c"), ("vllm serve",))})},
            "NotByArguments",
            "shell",
        ),
        ({"deployment": GIVEN}, "InProgress", "0 of 1"),
        ({"deployment": replace(GIVEN, availability=Availability.AVAILABLE)}, "Available", "trial 7"),
        ({"deployment": replace(GIVEN, containers=BEFORE.containers)}, "Superseded", "other arguments"),
        (
            {"deployment": replace(GIVEN, containers=BEFORE.containers, note=replace(NOTE, failure="no"))},
            "RolledBack",
            "no",
        ),
        (
            {
                "deployment": BEFORE,
                "status": {**ENDED, "conditions": [COMPLETE, _condition("RolledOut", "False", "InProgress")]},
            },
            "Superseded",
            "something else",
        ),
    ],
    ids=[
        "no winner",
        "not proven",
        "an endpoint",
        "not by arguments alone",
        "a variable's expansion",
        "a forged row",
        "the study was dropped",
        "the storage is away",
        "not allowed any more",
        "no such Deployment",
        "no such container",
        "a shell",
        "its pods start",
        "it serves",
        "somebody changed it",
        "it was taken back",
        "another's winner is in it",
    ],
)
def test_what_the_condition_says(fields: dict[str, Any], reason: str, words: str) -> None:
    """Each situation has its reason, changes nothing, and leaves the end of the study as it was."""
    plan = decide(_seen(**fields), NOW)
    assert plan.actions == ()
    said = _said(plan.status)
    assert (said["reason"], said["status"]) == (reason, "True" if reason == "Available" else "False")
    assert words in said["message"]
    assert COMPLETE in plan.status["conditions"]


@pytest.mark.parametrize(
    "deployment",
    [
        replace(GIVEN, availability=Availability.FAILED, message="deadline"),
        replace(GIVEN, note=replace(NOTE, started_at=NOW - LONGEST_SECONDS - 1), message="deadline"),
    ],
)
def test_what_does_not_serve_is_taken_back(deployment: DeploymentSeen) -> None:
    """The former arguments come back, and the note says why, so that it is not tried again."""
    (action,) = decide(_seen(deployment=deployment), NOW).actions
    assert isinstance(action, WriteArguments)
    assert action.note.given == FORMER
    assert "deadline" in action.note.failure


@pytest.mark.parametrize("reason", ["Available", "RolledBack", "Superseded", "NoSignificantGain"])
def test_what_is_settled_is_looked_at_no_more(reason: str) -> None:
    """Until the resource changes again."""
    conditions = [COMPLETE, _condition("RolledOut", "False", reason)]
    seen = _seen(status={**ENDED, "conditions": conditions})
    assert not seen.rolls_out
    assert replace(seen, target=replace(TARGET, generation=4)).rolls_out


def test_a_failed_study_changes_nothing() -> None:
    """Nor does one that has not ended."""
    assert not _seen(status={**ENDED, "conditions": [{**COMPLETE, "type": "Failed"}]}).rolls_out
    assert not _seen(status={}).rolls_out


@dataclass
class World:
    """One Deployment and the status of one ended resource; `others` are arguments that others wrote."""

    status: Mapping[str, Any] = field(default_factory=lambda: ENDED)
    deployment: DeploymentSeen = BEFORE
    serves: bool = True
    now: float = NOW
    others: set[tuple[str, ...]] = field(default_factory=set)

    def happen(self, event: str) -> None:
        self.now += 5
        match event:
            case "pods fail":
                self.serves = False
            case "pods serve":
                self.serves = True
            case "an hour passes":
                self.now += LONGEST_SECONDS
            case "somebody edits":
                arguments = ("serve", "--port", str(len(self.others)))
                self.others.add(arguments)
                self.deployment = self._with(arguments)
            case "another's winner":
                self.deployment = replace(self.deployment, note=replace(NOTE, uid="another"))
            case "looked at":
                self.look()
            case "cut off":
                self.look(cut_off=True)

    def look(self, *, cut_off: bool = False) -> None:
        seen = _seen(status=self.status, deployment=self.deployment)
        if not seen.rolls_out:
            return
        plan = decide(seen, self.now)
        for action in plan.actions:
            assert isinstance(action, WriteArguments)
            self.deployment = replace(self._with(action.note.given), note=action.note)
        if plan.status and not cut_off:
            self.status = plan.status

    def _with(self, arguments: tuple[str, ...]) -> DeploymentSeen:
        availability = Availability.AVAILABLE if self.serves else Availability.FAILED
        containers = {**self.deployment.containers, "main": (("vllm",), arguments)}
        return replace(self.deployment, containers=containers, availability=availability)


def test_a_refused_patch_is_the_conditions_reason_and_is_tried_again():
    """A Deployment that may not be patched says why once, and is patched as soon as it may be."""
    problem = Problem(Reason.ADMISSION_DENIED, "denied by policy")
    refused = Refused(WriteArguments, problem)
    plan = decide(_seen(), NOW, refused)
    said = _said(plan.status)
    assert (plan.actions, said["status"], said["reason"]) == ((), "False", "AdmissionDenied")
    assert said["message"] == "denied by policy"
    assert [each.reason for each in plan.events] == [Reason.ROLLOUT_REFUSED]
    again = _seen(status=plan.status)
    assert again.rolls_out
    assert isinstance(decide(again, NOW + 60).actions[0], WriteArguments)
    assert decide(again, NOW + 60, refused).events == ()


def test_a_deployment_that_cannot_be_read_now_is_the_conditions_reason():
    """An API server that fails is reported in RolledOut; the end stays, and it is looked at again."""
    problem = Problem(Reason.API_SERVER_FAILING, "get deployments: 503")
    plan = unseen(_seen(study=None, deployment=None), problem, NOW)
    assert (plan.actions, _said(plan.status)["reason"]) == ((), "ApiServerFailing")
    assert COMPLETE in plan.status["conditions"]
    assert "Blocked" not in {each["type"] for each in plan.status["conditions"]}
    again = _seen(status=plan.status)
    assert again.rolls_out
    assert isinstance(decide(again, NOW + 60).actions[0], WriteArguments)


EVENTS = st.sampled_from(
    [
        "pods fail",
        "pods serve",
        "an hour passes",
        "somebody edits",
        "another's winner",
        "looked at",
        "cut off",
    ]
)


@given(st.lists(EVENTS, max_size=20))
def test_whatever_happens_it_settles_and_never_fights(history: list[str]) -> None:
    """It ends with a reason; what it says of the Deployment is so; and then the Deployment is left alone."""
    world = World()
    for event in history:
        world.happen(event)
    for _ in range(4):
        world.happen("looked at")
    settled, (_, arguments) = world.deployment, world.deployment.containers["main"]
    reason = _said(world.status)["reason"]
    assert reason in {"Available", "RolledBack", "Superseded"}
    assert arguments in {FORMER, MERGED, *world.others, *(SERVE.merged(each) for each in world.others)}
    world.happen("somebody edits")
    edited = world.deployment
    world.happen("looked at")
    assert world.deployment == edited != settled
