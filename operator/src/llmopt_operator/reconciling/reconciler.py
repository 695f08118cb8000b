"""Brings one resource nearer to what it asks for: look, decide, act, until nothing is left to do."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from llmopt_core.api.conditions import ConditionType, Phase
from llmopt_core.api.reasons import Reason
from llmopt_core.errors.classes import LlmoptError
from llmopt_core.resources import Resource
from llmopt_operator.adapters.kubernetes import ApiError, Cluster, Forbidden, NotFound, collection
from llmopt_operator.adapters.owned_objects import NotOurs
from llmopt_operator.adapters.pod_creation import pods_refused
from llmopt_operator.adapters.slots import StorageProblem
from llmopt_operator.adapters.studies import Studies
from llmopt_operator.domain.actions import (
    Action,
    Event,
    Plan,
    Refused,
    StartRunners,
    StopRunners,
    WriteBest,
)
from llmopt_operator.domain.conditions import unix_seconds
from llmopt_operator.domain.decisions import blocked, decide, unseen
from llmopt_operator.domain.observed import DeploymentSeen, Observed, Problem, StudySeen
from llmopt_operator.domain.refusals import Refusal, problem_of
from llmopt_operator.domain.status_writes import is_worth_a_write
from llmopt_operator.metrics import OperatorMetrics
from llmopt_operator.reconciling.acceptance import Acceptances
from llmopt_operator.reconciling.admission import Admission, is_admitted_already
from llmopt_operator.reconciling.event_posts import EventPosts
from llmopt_operator.reconciling.executor import CONFIG_MAPS, DEPLOYMENTS, JOBS, Document, Executor, State
from llmopt_operator.reconciling.observations import Observations, Remembered
from llmopt_operator.settings import OperatorSettings
from llmopt_operator.specs.deployments import deployment_seen
from llmopt_operator.specs.names import Key

log = logging.getLogger(__name__)
# Enough for every way through the decisions; more would mean that two of them undo each other.
_MOST_ROUNDS = 8
# What may pass by itself is reported once it failed so often in a row.
_REPORTED_FAILURES = 3
# A request that is not answered for so long is reported while it is waited for.
_SLOW_SECONDS = 5.0
# A Job whose pods are not there for so long may have been refused them.
_PODS_PATIENCE_SECONDS = 3.0


class Restless(LlmoptError):
    """Decisions did not come to rest."""


class ActionRefused(LlmoptError):
    """An action was refused; its resource's status says so."""

    retryable = True

    def __init__(self, refused: Refused) -> None:
        self.refused = refused
        super().__init__(refused.problem.message)

    @property
    def retry_after_seconds(self) -> float:
        """For how many seconds the API server asked to be left alone."""
        return self.__cause__.retry_after_seconds if isinstance(self.__cause__, ApiError) else 0.0


class Reconciler:
    """Reconciles resources by key; safe to call for several keys at once, for one key one at a time."""

    def __init__(
        self,
        cluster: Cluster,
        studies: Studies,
        observations: Observations,
        settings: OperatorSettings,
        metrics: OperatorMetrics,
    ) -> None:
        self._cluster = cluster
        self._studies = studies
        self._observations = observations
        self._metrics = metrics
        self._acceptances = Acceptances(settings)
        self._events = EventPosts(cluster)
        self._admission = Admission(cluster, settings, observations, self._acceptances)
        self._executor = Executor(
            cluster, studies, observations, settings, self._acceptances, self._admission
        )
        self._written_at: dict[str, float] = {}
        self._started_at: dict[str, float] = {}  # of Jobs of which no runner ran yet
        self._failures: Counter[str] = Counter()
        self._blocked: dict[str, set[Key]] = {}

    def blocked(self, namespace: str) -> frozenset[Key]:
        """Return the resources of `namespace` for which something was refused when it was last tried."""
        return frozenset(self._blocked.get(namespace, ()))

    async def reconcile(self, key: Key) -> float | None:
        """Do what is to be done about `key`; return after how many seconds to look again, if at all."""
        began, result = time.monotonic(), "error"
        try:
            again = await self._reconcile(key)
            result = "done"
            return again
        finally:
            self._metrics.reconciled(key.kind, result, time.monotonic() - began)

    async def _reconcile(self, key: Key) -> float | None:
        refusals: list[ActionRefused] = []
        for _ in range(_MOST_ROUNDS):
            document = self._observations.of(key).document
            if document is None or "deletionTimestamp" in document["metadata"]:
                self._forget(key)
                return None
            state = await self._look(self._watched(key, document))
            refused = [each.refused for each in refusals]
            plan = decide(state.observed, time.time(), *refused)
            try:
                if await self._carry_out(state, plan.actions, refused):
                    state = self._with_status(state)
            except StorageProblem as error:
                state = replace(state, observed=replace(state.observed, storage=error.problem))
                plan = decide(state.observed, time.time(), *refused)
            except ActionRefused as error:
                refusals.append(error)
                continue
            if not self._is_current(state):
                continue
            if plan.status:
                await self._conclude(state, plan)
                if self._is_current(state):
                    return self._again(state, plan, refusals)
            elif (failure := await self._events.post(state.document, plan.events)) is not None:
                log.warning("%s: an event is posted later: %s", key, failure)
        raise Restless(f"{key}: still something to do after {_MOST_ROUNDS} rounds")

    def _again(self, state: State, plan: Plan, refusals: Sequence[ActionRefused]) -> float | None:
        """Return when to look again; what was refused is tried after pauses that grow."""
        blocked_keys = self._blocked.setdefault(state.key.namespace, set())
        if refusals:
            blocked_keys.add(state.key)
            raise max(refusals, key=lambda each: each.retry_after_seconds)
        blocked_keys.discard(state.key)
        self._failures.pop(state.uid, None)
        return plan.recheck_seconds

    def _is_current(self, state: State) -> bool:
        """Whether the resource is still there, and no other one has taken its name."""
        observation = self._observations.of(state.key)
        known = observation.metadata
        return observation.there and known is not None and known["uid"] == state.uid

    def _watched(self, key: Key, document: Document) -> State:
        """Return what the watches reported of a resource, and what it asks for."""
        observation, accepted = self._observations.of(key), self._acceptances.of(document)
        observed = Observed(
            target=accepted.target,
            status=document["status"],
            jobs=tuple(observation.jobs[name] for name in sorted(observation.jobs)),
            pods=tuple(observation.pods.values()),
        )
        if not is_admitted_already(observed, accepted):
            observed = replace(observed, rejection=accepted.rejection)
        return State(key, document, observed)

    async def _look(self, state: State) -> State:
        """Return `state` with what no watch reports; what keeps it from being looked at is reported."""
        try:
            observed = await self._with_all(state)
        except ApiError as error:
            if (problem := self._reported(state, error)) is not None:
                self._blocked.setdefault(state.key.namespace, set()).add(state.key)
                await self._conclude(state, unseen(state.observed, problem, time.time()))
            raise
        return replace(state, observed=observed)

    async def _with_all(self, state: State) -> Observed:
        key, observed = state.key, state.observed
        settled = observed.was_ended and not observed.rolls_out
        settled = settled and observed.status.get("observedGeneration") == observed.target.generation
        if not settled and observed.rejection is None:
            observed = await self._with_study(key, observed, self._acceptances.resource(state.document))
            rejection = await self._admission.problem(key, state.document, observed)
            observed = replace(observed, rejection=rejection)
        observed = await self._with_pods_refused(key, observed)
        if observed.rejection is None and observed.rolls_out and observed.target.rollout is not None:
            deployment = await self._deployment(key, observed.target.rollout.deployment)
            observed = replace(observed, deployment=deployment)
        return observed

    async def _with_pods_refused(self, key: Key, observed: Observed) -> Observed:
        """Say why there are no pods, where there were none either when the status was last written."""
        said, job = observed.condition(ConditionType.RUNNING), observed.job
        if job is None or said is None or not observed.lacks_pods:
            return observed
        if time.time() - unix_seconds(said["lastTransitionTime"]) < _PODS_PATIENCE_SECONDS:
            return observed
        problem = await pods_refused(self._cluster, key.namespace, job.name)
        others = tuple(each for each in observed.jobs if each is not job)
        return replace(observed, jobs=(*others, replace(job, pods_refused=problem)))

    async def _deployment(self, key: Key, name: str) -> DeploymentSeen | Problem:
        where = f"Deployment {key.namespace}/{name}"
        try:
            body = await self._cluster.get(f"{collection('apps/v1', DEPLOYMENTS, key.namespace)}/{name}")
        except NotFound:
            return Problem(
                Reason.DEPLOYMENT_NOT_FOUND, f"{where} does not exist: create it, or correct spec.rollout"
            )
        except Forbidden as error:
            return Problem(Reason.DEPLOYMENT_FORBIDDEN, f"{where} may not be read: {error}")
        return deployment_seen(body)

    async def _with_study(self, key: Key, observed: Observed, resource: Resource) -> Observed:
        study: StudySeen | None = None
        problem: Problem | None = None
        try:
            study = await self._studies.see(
                key,
                resource,
                observed.status,
                begun=bool(observed.jobs) or "study" in observed.status,
                idle=not observed.pods,
            )
        except StorageProblem as error:
            problem = error.problem
        return replace(observed, storage=problem, study=study)

    def _with_status(self, state: State) -> State:
        """Return `state` with the status as it was written since."""
        document = self._observations.of(state.key).document or state.document
        return replace(state, observed=replace(state.observed, status=document["status"]))

    async def _carry_out(self, state: State, actions: Sequence[Action], refused: Sequence[Refused]) -> bool:
        """Act; return whether the status was written meanwhile. Raises ActionRefused and StorageProblem.

        `refused` is what was refused in this pass before.
        """
        said = False
        if actions:
            log.info("%s: %s", state.key, actions, extra={"resource": str(state.key)})
        for action in actions:
            try:
                said |= await self._act_visibly(state, action, refused)
            except (ApiError, NotOurs) as error:
                if (problem := self._reported(state, error)) is None:
                    raise
                raise ActionRefused(Refused(type(action), problem)) from error
            if isinstance(action, StartRunners):
                self._started_at[state.uid] = time.monotonic()
        return said

    def _reported(self, state: State, error: ApiError | NotOurs) -> Problem | None:
        """Return what to report of `error`; nothing of what may pass before anybody could read it."""
        if isinstance(error, NotFound) and error.refusal.verb != "create":
            return None  # what was to be changed is gone: it is looked at again
        self._failures[state.uid] += 1
        if error.retryable and self._failures[state.uid] < _REPORTED_FAILURES:
            return None
        return error.problem if isinstance(error, NotOurs) else problem_of(error.refusal)

    async def _act_visibly(self, state: State, action: Action, refused: Sequence[Refused]) -> bool:
        """Act; where that takes long, write meanwhile what is waited for, and return that it was written."""
        if not isinstance(action, StartRunners | StopRunners | WriteBest):
            await self._executor.act(state, action)
            return False
        acting = asyncio.create_task(self._executor.act(state, action))
        try:
            await asyncio.wait({acting}, timeout=_SLOW_SECONDS)
            if slow := not acting.done():
                await self._say_slow(state, action, refused)
            await acting
            return slow
        finally:
            acting.cancel()

    async def _say_slow(self, state: State, action: Action, refused: Sequence[Refused]) -> None:
        attempt = {StartRunners: "create", StopRunners: "delete"}.get(type(action), "write")
        resource = CONFIG_MAPS if isinstance(action, WriteBest) else JOBS
        text = f"no answer within {_SLOW_SECONDS:.0f} s"
        problem = problem_of(Refusal(attempt, resource, state.key.namespace, 0, text))
        plan = decide(state.observed, time.time(), *refused, Refused(type(action), problem))
        if not plan.status or not self._is_news(state, plan):
            return
        try:
            await self._write_status(state, plan)
        except ApiError as error:
            log.warning("%s: %s, and its status cannot be written: %s", state.key, problem.message, error)

    async def _conclude(self, state: State, plan: Plan) -> None:
        """Post what happened, then write the status where it changed.

        An event that is not taken does not keep the status from being written; it is posted later.
        """
        is_news = self._is_news(state, plan)
        failure = await self._events.post(state.document, plan.events if is_news else ())
        if failure is not None and (problem := self._reported(state, failure)) is not None:
            plan = blocked(state.observed, plan, time.time(), problem)
            is_news = self._is_news(state, plan)
        if is_news:
            await self._write_status(state, plan)
        if failure is not None:
            raise failure

    def _is_news(self, state: State, plan: Plan) -> bool:
        """Whether the plan's status is worth a write."""
        since = time.monotonic() - self._written_at.get(state.uid, float("-inf"))
        return is_worth_a_write(state.observed.status, plan.status, since_seconds=since)

    async def _write_status(self, state: State, plan: Plan) -> None:
        """Write the plan's status; a resource that is not there any more is taken as deleted."""
        uid = state.uid
        try:
            written = await self._cluster.write_status(state.path, uid, plan.status)
        except NotFound:
            self._observations.lose(Remembered.resource(state.key, uid))
            return
        except ApiError as error:
            if not error.retryable:
                problem = problem_of(error.refusal)
                said = Event(problem.reason, problem.message, warning=True)
                await self._events.post(state.document, (said,))
            raise
        self._observations.resource(written)
        self._written_at[uid] = time.monotonic()
        phase = plan.status.get("phase")
        if phase == Phase.RUNNING and (started_at := self._started_at.pop(uid, None)) is not None:
            self._metrics.runners_ran(state.key.kind, time.monotonic() - started_at)
        if phase in {Phase.COMPLETE, Phase.FAILED}:
            self._studies.release(state.key.namespace, uid)

    def _forget(self, key: Key) -> None:
        metadata = self._observations.of(key).metadata
        if metadata is not None:
            self._studies.release(key.namespace, metadata["uid"])
            self._acceptances.forget(metadata["uid"])
            self._written_at.pop(metadata["uid"], None)
            self._started_at.pop(metadata["uid"], None)
            self._failures.pop(metadata["uid"], None)
            self._events.forget(metadata["uid"])
        self._blocked.get(key.namespace, set()).discard(key)
        self._observations.forget(key)
