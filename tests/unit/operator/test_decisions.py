from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from llmopt_core.api.reasons import Reason
from llmopt_core.errors.classes import ErrorClass
from llmopt_core.storage.documents import EndReason
from llmopt_operator.domain.actions import (
    DeleteResource,
    EndStudy,
    MakeStudy,
    Plan,
    Refused,
    ReopenStudy,
    StartRunners,
    StopRunners,
    WriteBest,
)
from llmopt_operator.domain.conditions import timestamp
from llmopt_operator.domain.decisions import decide, unseen
from llmopt_operator.domain.observed import JobEnd, JobSeen, Observed, PodSeen, Problem, StudySeen, Target

NOW = 1_800_000_000.0
TARGET = Target(generation=3, manifest_hash="abcd1234", suspend=False, runners=2)
JOB = JobSeen(name="demo-abcd1234", manifest_hash="abcd1234", active=2)
OLD_JOB = replace(JOB, name="demo-00000000", manifest_hash="00000000")
POD = PodSeen(name="demo-abcd1234-0-x", job=JOB.name, index=0, phase="Running")
STUDY = StudySeen(ended=None, active_seconds=10.0, figures={"study": "uid", "progress": {"text": "1/4"}})
AWAY = Problem(ErrorClass.STORAGE_UNAVAILABLE, "away")
DONE = replace(STUDY, ended=EndReason("TrialsExhausted", "all 4 trials are done"))
BROKEN = replace(STUDY, ended=EndReason("ModelNotFound", "no such model", failed=True))
UNHEARD_OF = replace(STUDY, ended=EndReason("BrandNew", "of a newer version", failed=True))
OUT_OF_MEMORY = {"class": "HostOutOfMemory", "count": 2, "lastMessage": "m"}
BEST = {"trial": 2, "headline": "accuracy 0.75"}


def _seen(**fields: Any) -> Observed:
    return Observed(**{"target": TARGET, "status": {}, **fields})


def _condition(plan: Plan, type_: str) -> Mapping[str, Any]:
    return next(each for each in plan.status["conditions"] if each["type"] == type_)


def _after(status: Mapping[str, Any], plan: Plan) -> Mapping[str, Any]:
    return plan.status or status


@pytest.mark.parametrize(
    ("seen", "actions"),
    [
        (_seen(), (MakeStudy(), StartRunners())),
        (_seen(target=replace(TARGET, suspend=True)), (MakeStudy(),)),
        (_seen(jobs=(replace(JOB, deleting=True),)), (MakeStudy(),)),
        (_seen(study=STUDY), (StartRunners(),)),
        (_seen(study=STUDY, jobs=(JOB,), pods=(POD,)), ()),
        (_seen(study=STUDY, jobs=(OLD_JOB,)), (StopRunners(OLD_JOB.name),)),
        (_seen(study=STUDY, jobs=(replace(OLD_JOB, deleting=True),)), ()),
        (_seen(jobs=(JOB,)), (StopRunners(JOB.name),)),
        (_seen(storage=AWAY, jobs=(JOB,)), ()),
        (_seen(rejection=Problem(Reason.INVALID_SPEC, "bad")), ()),
        (_seen(rejection=Problem(Reason.INVALID_SPEC, "bad"), jobs=(OLD_JOB,)), (StopRunners(OLD_JOB.name),)),
        (_seen(target=replace(TARGET, suspend=True), study=STUDY, jobs=(JOB,)), (StopRunners(JOB.name),)),
        (_seen(target=replace(TARGET, suspend=True), study=STUDY), ()),
        (_seen(study=DONE, jobs=(JOB,)), ()),
        (_seen(study=DONE, status={"manifestHash": "00000000"}), (ReopenStudy(),)),
        (_seen(study=DONE), (ReopenStudy(),)),
        (_seen(study=DONE, status={"manifestHash": "abcd1234"}), ()),
        (_seen(study=DONE, status={"manifestHash": "00000000"}, jobs=(JOB,)), ()),
        (_seen(study=replace(STUDY, figures={**STUDY.figures, "best": BEST}), jobs=(JOB,)), (WriteBest(),)),
        (
            _seen(study=STUDY, jobs=(replace(JOB, end=JobEnd.COMPLETE, ended_at=NOW - 60),)),
            (StopRunners(JOB.name),),
        ),
        (_seen(study=STUDY, jobs=(replace(JOB, end=JobEnd.COMPLETE, ended_at=NOW - 1),)), ()),
    ],
    ids=[
        "nothing there yet",
        "nothing there yet, and suspended",
        "the study was dropped, and its runners are ending",
        "a study without runners",
        "all well",
        "runners of an earlier manifest",
        "those are ending",
        "the study was dropped",
        "the storage is away",
        "not acceptable",
        "not acceptable any more",
        "suspended while running",
        "suspended before it ran",
        "ended",
        "ended, then its budget was raised",
        "ended, before anybody said what its runners were started for",
        "ended, and its Job is gone",
        "and the runners of the new budget ended it before the status said so",
        "something better was found",
        "runners ended without the study",
        "they did a moment ago",
    ],
)
def test_what_is_done_next(seen: Observed, actions: tuple[object, ...]) -> None:
    """Each situation has one answer."""
    assert decide(seen, NOW).actions == actions


def test_a_default_that_cannot_run_is_a_condition_and_an_event() -> None:
    """It says why, and which trial is the reference in its place; the event comes once."""
    failure = {"class": "InvalidConfiguration", "count": 1, "lastMessage": "max_num_seqs at most 856"}
    best = {"trial": 3, "reference": 3}
    figures = {**STUDY.figures, "baselineFailure": failure, "best": best}
    seen = _seen(study=replace(STUDY, figures=figures), jobs=(JOB,), status={"best": best})
    plan = decide(seen, NOW)
    condition = _condition(plan, "BaselineMeasured")
    assert (condition["status"], condition["reason"]) == ("False", "BaselineInfeasible")
    assert condition["message"] == (
        "the baseline cannot run here (InvalidConfiguration: max_num_seqs at most 856); the reference is the"
        " best configuration: trial 3"
    )
    assert plan.status["baselineFailure"] == failure
    assert [(each.reason, each.warning) for each in plan.events] == [("BaselineInfeasible", True)]
    assert decide(replace(seen, status=plan.status), NOW).events == ()


@pytest.mark.parametrize(
    ("seen", "phase", "reason"),
    [
        (_seen(rejection=Problem("InvalidSpec", "spec.a: bad")), "Rejected", "spec.a: bad"),
        (_seen(rejection=Problem("PolicyDenied", "x\n" * 200)), "Rejected", f"{'x ' * 79}x…"),
        (_seen(storage=Problem("StorageUnavailable", "no answer"), jobs=(JOB,)), "Pending", "no answer"),
        (_seen(study=STUDY, jobs=(replace(JOB, ready=2),), pods=(POD,)), "Running", ""),
        (_seen(study=DONE, jobs=(JOB,)), "Complete", "all 4 trials are done"),
        (_seen(study=BROKEN, jobs=(JOB,)), "Failed", "no such model"),
    ],
)
def test_the_phase_has_its_reason_beside_it(seen: Observed, phase: str, reason: str) -> None:
    """What is refused is not pending, and a table has space for one line of why."""
    status = decide(seen, NOW).status
    assert (status["phase"], status["reason"]) == (phase, reason)


@pytest.mark.parametrize(
    ("pod", "reason", "words"),
    [
        (replace(POD, phase="Failed", exit_code=65, last_words="spec: bad"), "RunnerRefused", "spec: bad"),
        (replace(POD, phase="Failed", exit_code=137, oom_killed=True), "HostOutOfMemory", "limits.memory"),
        (replace(POD, phase="Failed", exit_code=1, last_words="boom"), "RunnerFailed", "boom"),
        (None, "RunnersFailed", "no runner"),
    ],
)
def test_a_job_that_failed_for_good_ends_its_study(pod: PodSeen | None, reason: str, words: str) -> None:
    """The study ends with the class of what its last runner said."""
    job = replace(JOB, end=JobEnd.FAILED, ended_at=NOW - 60, message="backoff limit")
    (action,) = decide(_seen(study=STUDY, jobs=(job,), pods=(pod,) if pod else ()), NOW).actions
    assert isinstance(action, EndStudy)
    assert (action.reason, action.failed) == (reason, True)
    assert words in action.message


def test_a_runner_that_was_asked_to_stop_is_preempted_and_no_failure() -> None:
    """Its pod is replaced, the condition does not call it failed, and it hides no real failure of the Job."""
    stopped = replace(POD, phase="Failed", exit_code=75)
    (running,) = (
        condition
        for condition in decide(_seen(study=STUDY, jobs=(JOB,), pods=(stopped,)), NOW).status["conditions"]
        if condition["type"] == "Running"
    )
    assert (running["status"], running["reason"]) == ("False", "Preempted")
    crashed = replace(POD, name="demo-abcd1234-0-a", phase="Failed", exit_code=1)
    job = replace(JOB, end=JobEnd.FAILED, ended_at=NOW - 60)
    (action,) = decide(_seen(study=STUDY, jobs=(job,), pods=(crashed, stopped)), NOW).actions
    assert isinstance(action, EndStudy)
    assert action.reason == "RunnerFailed"


def test_runners_that_lost_the_storage_are_started_again() -> None:
    """What the storage did to the runners heals once it answers again."""
    job = replace(JOB, end=JobEnd.FAILED, ended_at=NOW - 60)
    pod = replace(POD, phase="Failed", exit_code=69)
    assert decide(_seen(study=STUDY, jobs=(job,), pods=(pod,)), NOW).actions == (StopRunners(JOB.name),)


def test_a_study_far_over_its_time_is_ended_with_its_runners() -> None:
    """Runners that hang do not hold their hardware for ever."""
    target = replace(TARGET, longest_seconds=100.0)
    study = replace(STUDY, active_seconds=101.0)
    plan = decide(_seen(target=target, study=study, jobs=(JOB,), pods=(POD,)), NOW)
    assert plan.actions[0] == StopRunners(JOB.name)
    assert isinstance(plan.actions[1], EndStudy)
    assert not plan.actions[1].failed


@pytest.mark.parametrize(
    ("seen", "type_", "status", "reason"),
    [
        (_seen(rejection=Problem(Reason.INVALID_SPEC, "spec.x: bad")), "Accepted", "False", "InvalidSpec"),
        (_seen(study=STUDY, jobs=(JOB,), pods=(POD,)), "Running", "True", "RunnersActive"),
        (_seen(study=STUDY, jobs=(JOB,)), "Running", "False", "Starting"),
        (
            _seen(study=STUDY, jobs=(replace(JOB, suspended=True, queued=True),)),
            "Running",
            "False",
            "QueueInadmissible",
        ),
        (
            _seen(study=STUDY, jobs=(JOB,), pods=(replace(POD, phase="Pending", unschedulable="no GPU"),)),
            "Running",
            "False",
            "Unschedulable",
        ),
        (_seen(storage=AWAY), "StudyReady", "False", "StorageUnavailable"),
        (_seen(study=DONE, jobs=(JOB,)), "Complete", "True", "TrialsExhausted"),
        (_seen(study=BROKEN, jobs=(JOB,)), "Failed", "True", "ModelNotFound"),
        (_seen(study=UNHEARD_OF, jobs=(JOB,)), "Failed", "True", "Unknown"),
        (_seen(target=replace(TARGET, suspend=True), study=STUDY), "Suspended", "True", "SuspendedByUser"),
        (
            _seen(study=replace(STUDY, figures={"errors": [OUT_OF_MEMORY]}), jobs=(JOB,)),
            "MemoryGuardPassed",
            "False",
            "GuardTripped",
        ),
    ],
)
def test_what_the_conditions_say(seen: Observed, type_: str, status: str, reason: str) -> None:
    """Each situation is reported by one condition, of the generation that was looked at."""
    condition = _condition(decide(seen, NOW), type_)
    assert (condition["status"], condition["reason"], condition["observedGeneration"]) == (status, reason, 3)


def test_a_condition_keeps_its_time_of_transition() -> None:
    """Only a changed status moves the time."""
    seen = _seen(study=STUDY, jobs=(JOB,), pods=(POD,))
    first = decide(seen, NOW)
    later = decide(replace(seen, status=first.status), NOW + 100)
    assert _condition(later, "Running")["lastTransitionTime"] == timestamp(NOW)


def test_each_turn_is_reported_once() -> None:
    """Runners that go on running are no news."""
    seen = _seen(study=STUDY, jobs=(JOB,), pods=(POD,))
    first = decide(seen, NOW)
    assert [each.reason for each in first.events] == ["Started"]
    assert decide(replace(seen, status=first.status), NOW + 1).events == ()


def test_a_better_trial_is_reported() -> None:
    """An event says which trial is the best one now; the first one is no improvement."""
    better = replace(STUDY, figures={**STUDY.figures, "best": BEST})
    seen = _seen(study=better, jobs=(JOB,), pods=(POD,), status={"best": {"trial": 1}})
    assert "BestImproved" in [each.reason for each in decide(seen, NOW).events]
    assert "BestImproved" not in [each.reason for each in decide(replace(seen, status={}), NOW).events]


def test_the_winner_of_the_repeats_is_no_better_trial() -> None:
    """The proof may choose another of the best few: the end reports that in the words of the result."""
    best = {**BEST, "confirmed": True, "summary": "No significant gain over the baseline"}
    seen = _seen(study=replace(DONE, figures={"best": best}), jobs=(JOB,), status={"best": {"trial": 1}})
    (said,) = decide(seen, NOW).events
    assert (said.reason, said.warning) == ("TrialsExhausted", False)
    assert said.message == "all 4 trials are done; No significant gain over the baseline"


def test_what_has_ended_is_left_alone_until_its_time() -> None:
    """After the end nothing is done but to delete the resource when it asked for that."""
    ended = decide(_seen(study=DONE, jobs=(JOB,)), NOW).status
    kept = decide(_seen(status=ended), NOW + 1e6)
    assert (kept.actions, kept.recheck_seconds) == ((), None)
    target = replace(TARGET, ttl_seconds=60)
    assert decide(_seen(target=target, status=ended), NOW + 10).recheck_seconds == pytest.approx(50)
    assert decide(_seen(target=target, status=ended), NOW + 60).actions == (DeleteResource(),)


def test_figures_stay_while_nobody_can_read_them() -> None:
    """A storage that is away takes nothing out of the status."""
    status = decide(_seen(study=STUDY, jobs=(JOB,)), NOW).status
    away = decide(_seen(status=status, storage=AWAY), NOW)
    assert away.status["progress"] == STUDY.figures["progress"]


def test_a_best_that_is_not_trusted_is_said() -> None:
    """A study whose best is no point of the space says so beside its end, with an event."""
    study = replace(DONE, distrust=Problem(Reason.PARAMETERS_OUTSIDE_SPACE, "trial 7 is not used"))
    plan = decide(_seen(study=study, jobs=(JOB,)), NOW)
    said = _condition(plan, "ResultValid")
    assert (said["status"], said["reason"]) == ("False", "ParametersOutsideSpace")
    assert "ParametersOutsideSpace" in {each.reason for each in plan.events}


REFUSAL = Problem("QuotaExceeded", "waits for quota: ResourceQuota small")
BLOCKED = {
    "type": "Blocked",
    "status": "True",
    "reason": "QuotaExceeded",
    "message": REFUSAL.message,
    "lastTransitionTime": timestamp(NOW - 60),
    "observedGeneration": 3,
}
WITH_BEST = replace(STUDY, figures={**STUDY.figures, "best": BEST})
DONE_WITH_BEST = replace(DONE, figures=WITH_BEST.figures)


@pytest.mark.parametrize(
    ("seen", "action"),
    [
        (_seen(study=STUDY), StartRunners),
        (_seen(study=STUDY, jobs=(OLD_JOB,)), StopRunners),
        (_seen(study=WITH_BEST, jobs=(JOB,), pods=(POD,)), WriteBest),
        (_seen(study=DONE_WITH_BEST, jobs=(JOB,)), WriteBest),
        (_seen(rejection=Problem("InvalidSpec", "bad"), jobs=(OLD_JOB,)), StopRunners),
        (_seen(target=replace(TARGET, suspend=True), study=STUDY, jobs=(JOB,)), StopRunners),
    ],
)
def test_what_is_refused_is_said_once_and_not_asked_for_again(seen: Observed, action: type) -> None:
    """The plan without the refused action has a status and one event that say why, and repeats neither."""
    refused = Refused(action, REFUSAL)
    plan = decide(seen, NOW, refused)
    assert not any(isinstance(each, action) for each in plan.actions)
    said = _condition(plan, "Blocked")
    assert (said["status"], said["reason"], said["message"]) == ("True", REFUSAL.reason, REFUSAL.message)
    assert [each for each in plan.events if each.reason == REFUSAL.reason and each.warning]
    again = decide(replace(seen, status=plan.status), NOW + 60, refused)
    assert again.status == plan.status
    assert not [each for each in again.events if each.reason == REFUSAL.reason]


def test_without_a_job_the_refusal_is_why_nothing_runs() -> None:
    """A resource whose Job is refused is not running, for the reason of the refusal."""
    plan = decide(_seen(study=STUDY), NOW, Refused(StartRunners, REFUSAL))
    assert _condition(plan, "Running")["reason"] == "QuotaExceeded"
    assert plan.status["phase"] == "Pending"


def test_a_result_is_reported_though_its_config_map_is_refused() -> None:
    """The end and the best of a study are in the status whatever becomes of the ConfigMap."""
    plan = decide(_seen(study=DONE_WITH_BEST, jobs=(JOB,)), NOW, Refused(WriteBest, REFUSAL))
    assert plan.status["phase"] == "Complete"
    assert plan.status["best"] == BEST


def test_what_was_refused_is_tried_again_and_then_no_longer_said() -> None:
    """While a status says that something is blocked, the best is written again, also after the end."""
    running = {"best": BEST, "conditions": [BLOCKED]}
    plan = decide(_seen(study=WITH_BEST, status=running, jobs=(JOB,), pods=(POD,)), NOW)
    assert plan.actions == (WriteBest(),)
    assert "Blocked" not in {each["type"] for each in plan.status["conditions"]}
    ended = decide(_seen(study=DONE_WITH_BEST, jobs=(JOB,)), NOW, Refused(WriteBest, REFUSAL)).status
    plan = decide(_seen(status=ended, jobs=(JOB,)), NOW + 60)
    assert plan.actions == (WriteBest(),)
    assert "Blocked" not in {each["type"] for each in plan.status["conditions"]}
    assert "Complete" in {each["type"] for each in plan.status["conditions"]}
    waits = decide(_seen(status=ended, jobs=(JOB,), storage=Problem("StorageUnavailable", "away")), NOW + 60)
    assert waits.actions == ()
    assert "Blocked" in {each["type"] for each in waits.status["conditions"]}
    assert waits.recheck_seconds


def test_a_refusal_of_what_is_no_longer_wanted_changes_nothing() -> None:
    """A plan that does not hold the refused action is carried out as it is."""
    seen = _seen(study=STUDY, jobs=(JOB,), pods=(POD,))
    assert decide(seen, NOW, Refused(StartRunners, REFUSAL)) == decide(seen, NOW)


TAKEN = Problem(Reason.NAME_TAKEN, "ConfigMap ns/demo-best exists")


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_all_that_is_refused_in_one_pass_is_said(order: tuple[int, int]) -> None:
    """Nothing of it is asked for again, and the reason is what keeps the study from running."""
    both = (Refused(StartRunners, REFUSAL), Refused(WriteBest, TAKEN))
    refused = [both[place] for place in order]
    seen = _seen(study=WITH_BEST)
    plan = decide(seen, NOW, *refused)
    assert plan.actions == ()
    said = _condition(plan, "Blocked")
    assert said["reason"] == "QuotaExceeded"
    assert said["message"] == f"{REFUSAL.message}; {TAKEN.message}"
    assert _condition(plan, "Running")["reason"] == "QuotaExceeded"
    assert {each.reason for each in plan.events} >= {"QuotaExceeded", "NameTaken"}
    again = decide(replace(seen, status=plan.status), NOW + 60, *refused)
    assert again.status == plan.status
    assert again.events == ()


PERMISSION = Problem(Reason.PERMISSION_MISSING, "the account may not get customresourcedefinitions")


def test_a_first_look_that_is_refused_is_why_nothing_runs() -> None:
    """A new resource whose study cannot be looked at says so, once, and nothing is done."""
    plan = unseen(_seen(), PERMISSION, NOW)
    assert plan.actions == ()
    assert [each["type"] for each in plan.status["conditions"]] == ["Running", "Blocked"]
    assert {each["reason"] for each in plan.status["conditions"]} == {"PermissionMissing"}
    assert (plan.status["phase"], plan.status["reason"]) == ("Pending", PERMISSION.message)
    assert [(each.reason, each.warning) for each in plan.events] == [("PermissionMissing", True)]
    again = unseen(_seen(status=plan.status), PERMISSION, NOW + 60)
    assert again.status == plan.status
    assert again.events == ()


@pytest.mark.parametrize(
    ("seen", "running", "phase"),
    [
        (_seen(study=WITH_BEST, jobs=(JOB,), pods=(POD,)), "RunnersActive", "Running"),
        (_seen(study=STUDY, target=replace(TARGET, suspend=True)), "Suspended", "Suspended"),
        (_seen(study=DONE, jobs=(JOB,)), "TrialsExhausted", "Complete"),
        (_seen(study=BROKEN, jobs=(JOB,)), "ModelNotFound", "Failed"),
    ],
    ids=["running", "suspended", "complete", "failed"],
)
def test_a_look_that_is_refused_changes_nothing_of_what_is_known(
    seen: Observed, running: str, phase: str
) -> None:
    """Figures and conditions stay as they were said last; what is refused is added, and goes again."""
    before = decide(seen, NOW).status
    plan = unseen(replace(seen, study=None, status=before), PERMISSION, NOW + 60)
    assert (plan.actions, plan.status["phase"]) == ((), phase)
    assert _condition(plan, "Running")["reason"] == running
    assert _condition(plan, "Blocked")["message"] == PERMISSION.message
    kept = [each for each in plan.status["conditions"] if each["type"] != "Blocked"]
    assert sorted(kept, key=str) == sorted(before["conditions"], key=str)
    assert {**plan.status, "conditions": 0} == {**before, "conditions": 0}
    after = decide(replace(seen, status=plan.status), NOW + 120).status
    assert "Blocked" not in {each["type"] for each in after["conditions"]}


def test_runners_that_went_while_nothing_could_be_looked_at_are_not_said_to_run() -> None:
    """The watches report the Job: without one, the refusal is why nothing runs."""
    before = decide(_seen(study=STUDY, jobs=(JOB,), pods=(POD,)), NOW).status
    plan = unseen(_seen(status=before), PERMISSION, NOW + 60)
    assert _condition(plan, "Running")["reason"] == "PermissionMissing"
    assert plan.status["phase"] == "Pending"
    assert plan.status["progress"] == STUDY.figures["progress"]


def test_what_was_said_of_an_earlier_generation_is_not_repeated() -> None:
    """A resource that was corrected is not called rejected while it cannot be looked at."""
    before = decide(_seen(rejection=Problem(Reason.SECRET_NOT_FOUND, "no Secret")), NOW).status
    plan = unseen(_seen(target=replace(TARGET, generation=4), status=before), PERMISSION, NOW + 60)
    assert "Accepted" not in {each["type"] for each in plan.status["conditions"]}
    assert plan.status["phase"] == "Pending"


def test_a_job_is_known_by_its_labels_whatever_it_is_called() -> None:
    """A Job that an earlier version named otherwise is adopted: no second one is started."""
    earlier = replace(JOB, name=f"{'a' * 45}-abcd1234")
    plan = decide(_seen(study=STUDY, jobs=(earlier,), pods=(replace(POD, job=earlier.name),)), NOW)
    assert plan.actions == ()


def test_a_job_without_pods_is_looked_at_again_and_says_why() -> None:
    """Where a Job's pods are refused that is why nothing runs; a Job that waits in a queue is left alone."""
    job = replace(JOB, active=0, pods_refused=REFUSAL)
    plan = decide(_seen(study=STUDY, jobs=(job,)), NOW)
    assert _condition(plan, "Running")["reason"] == "QuotaExceeded"
    assert plan.recheck_seconds
    queued = replace(JOB, active=0, queued=True, suspended=True)
    assert decide(_seen(study=STUDY, jobs=(queued,)), NOW).recheck_seconds is None
    assert decide(_seen(study=STUDY, jobs=(JOB,), pods=(POD,)), NOW).recheck_seconds is None
