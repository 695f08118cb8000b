"""Brings one resource nearer to what it asks for: look, decide, act, until nothing is left to do."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from llmopt_core.api.conditions import ConditionType, Phase
from llmopt_core.api.kinds import Kind
from llmopt_core.api.reasons import Reason
from llmopt_core.errors.classes import LlmoptError
from llmopt_core.resources import LLMOptimization, Resource
from llmopt_operator.adapters.kubernetes import (
    STRATEGIC_MERGE_PATCH,
    ApiError,
    Cluster,
    Forbidden,
    NotFound,
    collection,
    path_of,
)
from llmopt_operator.adapters.owned_objects import NotOurs, create_owned
from llmopt_operator.adapters.pod_creation import pods_refused
from llmopt_operator.adapters.slots import StorageProblem
from llmopt_operator.adapters.studies import Studies
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
from llmopt_operator.domain.conditions import unix_seconds
from llmopt_operator.domain.decisions import blocked, decide
from llmopt_operator.domain.observed import DeploymentSeen, Observed, Problem, StudySeen
from llmopt_operator.domain.refusals import Refusal, problem_of
from llmopt_operator.domain.status_writes import status_patch
from llmopt_operator.metrics import OperatorMetrics
from llmopt_operator.reconciling.acceptance import Acceptances
from llmopt_operator.reconciling.admission import Admission, is_admitted_already
from llmopt_operator.reconciling.event_posts import EventPosts
from llmopt_operator.reconciling.observations import Observations
from llmopt_operator.settings import OperatorSettings
from llmopt_operator.specs.config_maps import best_config_map, manifest_config_map
from llmopt_operator.specs.deployments import arguments_patch, deployment_seen
from llmopt_operator.specs.jobs import runner_job
from llmopt_operator.specs.names import Key

log = logging.getLogger(__name__)
# Enough for every way through the decisions; more would mean that two of them undo each other.
_MOST_ROUNDS = 8
_JOBS, _CONFIG_MAPS, _DEPLOYMENTS = "jobs", "configmaps", "deployments"
# What may pass by itself is reported once it failed so often in a row.
_REPORTED_FAILURES = 3
# A request that is not answered for so long is reported while it is waited for.
_SLOW_SECONDS = 5.0
# A Job whose pods are not there for so long may have been refused them.
_PODS_PATIENCE_SECONDS = 3.0
Document = Mapping[str, Any]


class Restless(LlmoptError):
    """Decisions did not come to rest."""


class ActionRefused(LlmoptError):
    """An action was refused; its resource's status says so."""

    retryable = True

    def __init__(self, refused: Refused) -> None:
        self.refused = refused
        super().__init__(refused.problem.message)


@dataclass(frozen=True)
class _State:
    """One resource with all that was seen of it."""

    key: Key
    document: Document
    observed: Observed


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
        self._settings = settings
        self._metrics = metrics
        self._acceptances = Acceptances(settings)
        self._events = EventPosts(cluster)
        self._admission = Admission(cluster, settings, observations, self._acceptances)
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
        refusal: ActionRefused | None = None
        for _ in range(_MOST_ROUNDS):
            document = self._observations.of(key).document
            if document is None or "deletionTimestamp" in document["metadata"]:
                self._forget(key)
                return None
            state = await self._look(key, document)
            refused = None if refusal is None else refusal.refused
            plan = decide(state.observed, time.time(), refused)
            try:
                if await self._carry_out(state, plan.actions):
                    state = self._with_status(state)
            except StorageProblem as error:
                state = replace(state, observed=replace(state.observed, storage=error.problem))
                plan = decide(state.observed, time.time(), refused)
            except ActionRefused as error:
                refusal = error
                continue
            if plan.status:
                await self._conclude(state, plan)
                return self._again(key, document, plan, refusal)
            if (failure := await self._events.post(state.document, plan.events)) is not None:
                log.warning("%s: an event is posted later: %s", key, failure)
        raise Restless(f"{key}: still something to do after {_MOST_ROUNDS} rounds")

    def _again(self, key: Key, document: Document, plan: Plan, refusal: ActionRefused | None) -> float | None:
        """Return when to look again; what was refused is tried after pauses that grow."""
        blocked_keys = self._blocked.setdefault(key.namespace, set())
        if refusal is not None:
            blocked_keys.add(key)
            raise refusal
        blocked_keys.discard(key)
        self._failures.pop(document["metadata"]["uid"], None)
        return plan.recheck_seconds

    async def _look(self, key: Key, document: Document) -> _State:
        observation, accepted = self._observations.of(key), self._acceptances.of(document)
        observed = Observed(
            target=accepted.target,
            status=document["status"],
            jobs=tuple(observation.jobs[name] for name in sorted(observation.jobs)),
            pods=tuple(observation.pods.values()),
        )
        settled = (
            observed.was_ended and document["status"].get("observedGeneration") == accepted.target.generation
        )
        settled = settled and not observed.rolls_out
        if not is_admitted_already(observed, accepted):
            observed = replace(observed, rejection=accepted.rejection)
        if not settled and observed.rejection is None:
            observed = await self._with_study(key, observed, self._acceptances.resource(document))
            rejection = await self._admission.problem(key, document, observed)
            observed = replace(observed, rejection=rejection)
        observed = await self._with_pods_refused(key, observed)
        if observed.rejection is None and observed.rolls_out and observed.target.rollout is not None:
            deployment = await self._deployment(key, observed.target.rollout.deployment)
            observed = replace(observed, deployment=deployment)
        return _State(key, document, observed)

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
            body = await self._cluster.get(f"{collection('apps/v1', _DEPLOYMENTS, key.namespace)}/{name}")
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

    def _with_status(self, state: _State) -> _State:
        """Return `state` with the status as it was written since."""
        document = self._observations.of(state.key).document or state.document
        return replace(state, observed=replace(state.observed, status=document["status"]))

    async def _carry_out(self, state: _State, actions: Sequence[Action]) -> bool:
        """Act; return whether the status was written meanwhile. Raises ActionRefused and StorageProblem."""
        said = False
        if actions:
            log.info("%s: %s", state.key, actions, extra={"resource": str(state.key)})
        for action in actions:
            try:
                said |= await self._act_visibly(state, action)
            except (ApiError, NotOurs) as error:
                if (problem := self._reported(state, error)) is None:
                    raise
                raise ActionRefused(Refused(type(action), problem)) from error
        return said

    def _reported(self, state: _State, error: ApiError | NotOurs) -> Problem | None:
        """Return what to report of `error`; nothing of what may pass before anybody could read it."""
        if isinstance(error, NotFound) and error.refusal.verb != "create":
            return None  # what was to be changed is gone: it is looked at again
        uid = state.document["metadata"]["uid"]
        self._failures[uid] += 1
        if error.retryable and self._failures[uid] < _REPORTED_FAILURES:
            return None
        return error.problem if isinstance(error, NotOurs) else problem_of(error.refusal)

    async def _act_visibly(self, state: _State, action: Action) -> bool:
        """Act; where that takes long, write meanwhile what is waited for, and return that it was written."""
        if not isinstance(action, StartRunners | StopRunners | WriteBest):
            await self._act(state, action)
            return False
        acting = asyncio.create_task(self._act(state, action))
        try:
            await asyncio.wait({acting}, timeout=_SLOW_SECONDS)
            if slow := not acting.done():
                await self._say_slow(state, action)
            await acting
            return slow
        finally:
            acting.cancel()

    async def _say_slow(self, state: _State, action: Action) -> None:
        attempt = {StartRunners: "create", StopRunners: "delete"}.get(type(action), "write")
        resource = _CONFIG_MAPS if isinstance(action, WriteBest) else _JOBS
        text = f"no answer within {_SLOW_SECONDS:.0f} s"
        problem = problem_of(Refusal(attempt, resource, state.key.namespace, 0, text))
        plan = decide(state.observed, time.time(), Refused(type(action), problem))
        try:
            await self._write_status(state, plan, self._patch(state, plan))
        except ApiError as error:
            log.warning("%s: %s, and its status cannot be written: %s", state.key, problem.message, error)

    async def _act(self, state: _State, action: Action) -> None:
        match action:
            case MakeStudy():
                await self._studies.make(state.key, self._acceptances.resource(state.document))
            case ReopenStudy():
                await self._studies.reopen(state.key, self._acceptances.resource(state.document))
            case EndStudy(reason, message, failed):
                await self._studies.end(
                    state.key, self._acceptances.resource(state.document), reason, message, failed=failed
                )
            case StartRunners():
                await self._start(state)
            case StopRunners(name):
                await self._stop(state, name)
            case WriteBest():
                await self._write_best(state)
            case WriteArguments():
                await self._write_arguments(state, action)
            case DeleteResource():
                path = path_of(state.document, Kind(state.key.kind).plural)
                await self._cluster.delete(path, propagation="Background")

    async def _start(self, state: _State) -> None:
        await create_owned(self._cluster, manifest_config_map(state.document), _CONFIG_MAPS)
        resource = self._acceptances.resource(state.document)
        referenced = self._admission.referenced(state.key, resource)
        body = runner_job(state.document, resource, self._settings, referenced)
        created = await create_owned(self._cluster, body, _JOBS)
        self._observations.job(created or await self._cluster.get(path_of(body, _JOBS)))
        self._started_at[state.document["metadata"]["uid"]] = time.monotonic()

    async def _stop(self, state: _State, name: str) -> None:
        jobs = collection("batch/v1", _JOBS, state.key.namespace)
        await self._cluster.delete(f"{collection('v1', _CONFIG_MAPS, state.key.namespace)}/{name}")
        await self._cluster.delete(f"{jobs}/{name}")
        try:
            self._observations.job(await self._cluster.get(f"{jobs}/{name}"))
        except NotFound:
            self._observations.of(state.key).jobs.pop(name, None)

    async def _write_best(self, state: _State) -> None:
        resource = self._acceptances.resource(state.document)
        if not isinstance(resource, LLMOptimization):
            return  # a benchmark recommends nothing
        found = await self._studies.result(state.key, resource)
        if found.trial is None:  # nothing is written of what is not trusted
            return
        body = best_config_map(state.document, resource, found)
        if await create_owned(self._cluster, body, _CONFIG_MAPS) is None:
            await self._cluster.patch(path_of(body, _CONFIG_MAPS), {"data": body["data"]})

    async def _write_arguments(self, state: _State, action: WriteArguments) -> None:
        path = f"{collection('apps/v1', _DEPLOYMENTS, state.key.namespace)}/{action.deployment}"
        await self._cluster.patch(path, arguments_patch(action), content_type=STRATEGIC_MERGE_PATCH)

    async def _conclude(self, state: _State, plan: Plan) -> None:
        """Post what happened, then write the status where it changed.

        An event that is not taken does not keep the status from being written; it is posted later.
        """
        patch = self._patch(state, plan)
        failure = await self._events.post(state.document, plan.events if patch else ())
        if failure is not None and (problem := self._reported(state, failure)) is not None:
            plan = blocked(state.observed, plan, problem, time.time())
            patch = self._patch(state, plan)
        await self._write_status(state, plan, patch)
        if failure is not None:
            raise failure

    def _patch(self, state: _State, plan: Plan) -> dict[str, Any]:
        uid = state.document["metadata"]["uid"]
        since = time.monotonic() - self._written_at.get(uid, float("-inf"))
        return status_patch(state.observed.status, plan.status, since_seconds=since)

    async def _write_status(self, state: _State, plan: Plan, patch: dict[str, Any]) -> None:
        uid = state.document["metadata"]["uid"]
        if not patch:
            return
        path = path_of(state.document, Kind(state.key.kind).plural)
        try:
            written = await self._cluster.patch(f"{path}/status", {"status": patch})
        except ApiError as error:
            if not error.retryable and not isinstance(error, NotFound):
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
