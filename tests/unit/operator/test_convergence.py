"""A small world in which plans are carried out: in part, again, between anything that may happen."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from llmopt_core.errors.classes import ErrorClass
from llmopt_core.storage.documents import EndReason
from llmopt_operator.domain.actions import (
    Action,
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
from llmopt_operator.domain.decisions import decide
from llmopt_operator.domain.observed import JobEnd, JobSeen, Observed, PodSeen, Problem, StudySeen, Target

_REFUSABLE = (StartRunners, StopRunners, WriteBest, DeleteResource)
START = 1_800_000_000.0


@dataclass
class World:
    """One resource, its Jobs and its study; `now` only grows."""

    manifest: int = 0
    generation: int = 1
    suspend: bool = False
    jobs: dict[str, JobSeen] = field(default_factory=dict)
    study: StudySeen | None = None
    storage_away: bool = False
    refusing: bool = False
    status: Mapping[str, Any] = field(default_factory=dict)
    now: float = START
    started: set[int] = field(default_factory=set)

    def seen(self) -> Observed:
        target = Target(self.generation, f"hash{self.manifest}", self.suspend, runners=1)
        observed = Observed(target, self.status, jobs=tuple(self.jobs.values()), pods=self.pods())
        if observed.was_ended:
            return observed
        if self.storage_away:
            return replace(observed, storage=Problem(ErrorClass.STORAGE_UNAVAILABLE, "away"))
        return replace(observed, study=self.study)

    def pods(self) -> tuple[PodSeen, ...]:
        return tuple(
            PodSeen(name=f"{name}-0", job=name, index=0, phase="Running")
            for name, job in self.jobs.items()
            if job.end is None and not job.deleting
        )

    def carry_out(self, action: Action) -> None:
        match action:
            case MakeStudy():
                self.study = self.study or StudySeen(ended=None, active_seconds=0.0)
            case ReopenStudy():
                assert self.study is not None
                self.study = replace(self.study, ended=None)
            case EndStudy(reason, message, failed):
                assert self.study is not None
                end = EndReason(reason, message, failed)
                self.study = replace(self.study, ended=self.study.ended or end)
            case StartRunners():
                assert not self.jobs, "a second Job was asked for"
                name = f"job-hash{self.manifest}"
                self.started.add(self.manifest)
                self.jobs[name] = JobSeen(name=name, manifest_hash=f"hash{self.manifest}", active=1)
            case StopRunners(name):
                self.jobs[name] = replace(self.jobs[name], deleting=True)
            case WriteBest() | DeleteResource():
                pass

    def happen(self, event: str) -> None:
        self.now += 40
        match event:
            case "edit":
                self.manifest += 1
                self.generation += 1
            case "suspend" | "resume":
                self.suspend = event == "suspend"
                self.generation += 1
            case "study ends" if self.study is not None and self.pods():
                self.study = replace(
                    self.study, ended=self.study.ended or EndReason("TrialsExhausted", "done")
                )
            case "study dropped":
                self.study = None
            case "job ends":
                self.jobs = {
                    name: replace(job, end=JobEnd.COMPLETE, ended_at=self.now)
                    for name, job in self.jobs.items()
                }
            case "job killed":
                self.jobs = {}
            case "gone":
                self.jobs = {name: job for name, job in self.jobs.items() if not job.deleting}
            case "refused" | "allowed":
                self.refusing = event == "refused"
            case "storage away" | "storage back":
                self.storage_away = event == "storage away"

    def step(self, crash_after: int | None = None) -> Plan:
        """Reconcile one round; `crash_after` so many of its actions nothing more is done."""
        plan, refused = decide(self.seen(), self.now), None
        for number, action in enumerate(plan.actions):
            if crash_after is not None and number >= crash_after:
                return plan
            if self.refusing and isinstance(action, _REFUSABLE):
                refused = Refused(type(action), Problem("QuotaExceeded", "waits for quota"))
                break
            self.carry_out(action)
        if refused is not None:
            plan = decide(self.seen(), self.now, refused)
            assert plan.status, "what is refused is said"
        if plan.status and crash_after is None:
            self.status = plan.status
        return plan

    def settle(self) -> None:
        """Reconcile until nothing changes; Jobs that are deleted go."""
        self.storage_away = self.refusing = False
        for _ in range(12):
            self.now += 40
            self.happen("gone")
            before = (dict(self.jobs), self.study, self.status)
            self.step()
            if before == (self.jobs, self.study, self.status):
                return
        raise AssertionError(f"did not come to rest: {self}")


EVENTS = st.sampled_from(
    ["edit", "suspend", "resume", "study ends", "study dropped", "job ends", "job killed", "gone",
     "storage away", "storage back", "refused", "allowed"]
)  # fmt: skip
HISTORIES = st.lists(st.tuples(EVENTS, st.integers(0, 3), st.none() | st.integers(0, 1)), max_size=25)


@given(HISTORIES)
def test_whatever_happens_it_comes_to_rest(history: list[tuple[str, int, int | None]]) -> None:
    """After any events, with reconciles cut off between any two actions, the world is as it is asked for."""
    world = World()
    for event, rounds, crash_after in history:
        world.happen(event)
        for _ in range(rounds):
            world.step(crash_after)
    world.settle()
    assert not world.seen().is_blocked
    ended = world.seen().was_ended
    running = [job for job in world.jobs.values() if not job.deleting and job.end is None]
    mine = [job for job in running if job.manifest_hash == f"hash{world.manifest}"]
    if ended:
        assert world.status["manifestHash"] == f"hash{world.manifest}"
        assert world.manifest in world.started
    elif world.suspend:
        assert not running
    else:
        assert len(mine) == len(running) == 1


@given(HISTORIES)
def test_carrying_a_plan_out_again_is_harmless(history: list[tuple[str, int, int | None]]) -> None:
    """A plan that is carried out twice leaves the same world as once."""
    world = World()
    for event, rounds, crash_after in history:
        world.happen(event)
        for _ in range(rounds):
            world.step(crash_after)
    plan = decide(world.seen(), world.now)
    again = [action for action in plan.actions if not isinstance(action, StartRunners)]
    for action in plan.actions:
        world.carry_out(action)
    once = (dict(world.jobs), world.study)
    for action in again:
        world.carry_out(action)
    assert once == (world.jobs, world.study)
