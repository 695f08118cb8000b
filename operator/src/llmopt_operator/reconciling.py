"""Brings one resource nearer to what it asks for: look, decide, act, until nothing is left to do."""

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from llmopt_core.api.conditions import Phase
from llmopt_core.api.kinds import Kind
from llmopt_core.api.reasons import Reason
from llmopt_core.errors.classes import LlmoptError
from llmopt_core.resources import LLMOptimization, Resource
from llmopt_operator.acceptance import Acceptances
from llmopt_operator.adapters.kubernetes import (
    STRATEGIC_MERGE_PATCH,
    AlreadyExists,
    ApiError,
    Cluster,
    Forbidden,
    NotFound,
    collection,
    path_of,
)
from llmopt_operator.adapters.slots import StorageProblem
from llmopt_operator.adapters.studies import Studies
from llmopt_operator.domain.actions import (
    Action,
    DeleteResource,
    EndStudy,
    Happening,
    MakeStudy,
    Plan,
    ReopenStudy,
    StartRunners,
    StopRunners,
    WriteArguments,
    WriteBest,
)
from llmopt_operator.domain.decisions import decide
from llmopt_operator.domain.observed import DeploymentSeen, Observed, Problem, StudySeen
from llmopt_operator.domain.writing import status_patch
from llmopt_operator.metrics import OperatorMetrics
from llmopt_operator.settings import OperatorSettings
from llmopt_operator.sightings import Sightings
from llmopt_operator.specs.config_maps import best_config_map, manifest_config_map
from llmopt_operator.specs.deployments import arguments_patch, deployment_seen
from llmopt_operator.specs.events import event_of
from llmopt_operator.specs.jobs import runner_job
from llmopt_operator.specs.naming import Key

log = logging.getLogger(__name__)
# Enough for every way through the decisions; more would mean that two of them undo each other.
_MOST_ROUNDS = 8
_JOBS, _CONFIG_MAPS, _EVENTS, _DEPLOYMENTS = "jobs", "configmaps", "events", "deployments"
Document = Mapping[str, Any]


class Restless(LlmoptError):
    """Decisions did not come to rest."""


@dataclass(frozen=True)
class _Sight:
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
        sightings: Sightings,
        settings: OperatorSettings,
        metrics: OperatorMetrics,
    ) -> None:
        self._cluster = cluster
        self._studies = studies
        self._sightings = sightings
        self._settings = settings
        self._metrics = metrics
        self._acceptances = Acceptances(settings)
        self._written_at: dict[str, float] = {}

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
        for _ in range(_MOST_ROUNDS):
            document = self._sightings.of(key).document
            if document is None or "deletionTimestamp" in document["metadata"]:
                self._forget(key)
                return None
            sight = await self._look(key, document)
            plan = decide(sight.observed, time.time())
            try:
                await self._carry_out(sight, plan.actions)
            except StorageProblem as error:
                sight = replace(sight, observed=replace(sight.observed, storage=error.problem))
                plan = decide(sight.observed, time.time())
            if plan.status:
                await self._conclude(sight, plan)
                return plan.recheck_seconds
            await self._tell(sight.document, plan.happenings)
        raise Restless(f"{key}: still something to do after {_MOST_ROUNDS} rounds")

    async def _look(self, key: Key, document: Document) -> _Sight:
        sighting, accepted = self._sightings.of(key), self._acceptances.of(document)
        observed = Observed(
            target=accepted.target,
            status=document["status"],
            rejection=accepted.rejection,
            jobs=tuple(sighting.jobs[name] for name in sorted(sighting.jobs)),
            pods=tuple(sighting.pods.values()),
        )
        settled = (
            observed.was_ended and document["status"].get("observedGeneration") == accepted.target.generation
        )
        settled = settled and not observed.rolls_out
        if not settled and accepted.rejection is None:
            observed = await self._with_study(key, observed, self._acceptances.resource(document))
        if accepted.rejection is None and observed.rolls_out and observed.target.rollout is not None:
            deployment = await self._deployment(key, observed.target.rollout.deployment)
            observed = replace(observed, deployment=deployment)
        return _Sight(key, document, observed)

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

    async def _carry_out(self, sight: _Sight, actions: Sequence[Action]) -> None:
        if actions:
            log.info("%s: %s", sight.key, actions, extra={"resource": str(sight.key)})
        for action in actions:
            await self._act(sight, action)

    async def _act(self, sight: _Sight, action: Action) -> None:
        match action:
            case MakeStudy():
                await self._studies.make(sight.key, self._acceptances.resource(sight.document))
            case ReopenStudy():
                await self._studies.reopen(sight.key, self._acceptances.resource(sight.document))
            case EndStudy(reason, message, failed):
                await self._studies.end(
                    sight.key, self._acceptances.resource(sight.document), reason, message, failed=failed
                )
            case StartRunners():
                await self._start(sight)
            case StopRunners(name):
                await self._stop(sight, name)
            case WriteBest():
                await self._write_best(sight)
            case WriteArguments():
                await self._write_arguments(sight, action)
            case DeleteResource():
                path = path_of(sight.document, Kind(sight.key.kind).plural)
                await self._cluster.delete(path, propagation="Background")

    async def _start(self, sight: _Sight) -> None:
        await self._create(manifest_config_map(sight.document), _CONFIG_MAPS)
        body = runner_job(sight.document, self._acceptances.resource(sight.document), self._settings)
        created = await self._create(body, _JOBS)
        self._sightings.job(created or await self._cluster.get(path_of(body, _JOBS)))

    async def _stop(self, sight: _Sight, name: str) -> None:
        jobs = collection("batch/v1", _JOBS, sight.key.namespace)
        await self._cluster.delete(f"{collection('v1', _CONFIG_MAPS, sight.key.namespace)}/{name}")
        await self._cluster.delete(f"{jobs}/{name}")
        try:
            self._sightings.job(await self._cluster.get(f"{jobs}/{name}"))
        except NotFound:
            self._sightings.of(sight.key).jobs.pop(name, None)

    async def _write_best(self, sight: _Sight) -> None:
        resource = self._acceptances.resource(sight.document)
        if not isinstance(resource, LLMOptimization):
            return  # a benchmark recommends nothing
        found = await self._studies.result(sight.key, resource)
        if found.result.trial is None:  # nothing is written of what is not trusted
            return
        body = best_config_map(sight.document, resource, found.result)
        if await self._create(body, _CONFIG_MAPS) is None:
            await self._cluster.patch(path_of(body, _CONFIG_MAPS), {"data": body["data"]})

    async def _write_arguments(self, sight: _Sight, action: WriteArguments) -> None:
        path = f"{collection('apps/v1', _DEPLOYMENTS, sight.key.namespace)}/{action.deployment}"
        try:
            await self._cluster.patch(path, arguments_patch(action), content_type=STRATEGIC_MERGE_PATCH)
        except ApiError as error:
            if not error.retryable:  # whoever waits for it must be told why it does not happen
                await self._tell(
                    sight.document, [Happening(Reason.ROLLOUT_REFUSED, str(error), warning=True)]
                )
            raise

    async def _create(self, body: dict[str, Any], plural: str) -> dict[str, Any] | None:
        """Create `body`, or return None where it is there and ours; raises NotOurs."""
        try:
            return await self._cluster.create(
                collection(body["apiVersion"], plural, body["metadata"]["namespace"]), body
            )
        except AlreadyExists:
            there = await self._cluster.get(path_of(body, plural))
        mine = body["metadata"]["ownerReferences"][0]["uid"]
        if mine not in {owner["uid"] for owner in there["metadata"].get("ownerReferences") or ()}:
            raise NotOurs(
                f"{body['kind']} {body['metadata']['namespace']}/{body['metadata']['name']} exists and is"
                " somebody else's; delete or rename it"
            )
        return None

    async def _conclude(self, sight: _Sight, plan: Plan) -> None:
        """Write the status where it changed, then tell what happened."""
        uid = sight.document["metadata"]["uid"]
        since = time.monotonic() - self._written_at.get(uid, float("-inf"))
        patch = status_patch(sight.observed.status, plan.status, since_seconds=since)
        if not patch:
            return
        path = path_of(sight.document, Kind(sight.key.kind).plural)
        self._sightings.resource(await self._cluster.patch(f"{path}/status", {"status": patch}))
        self._written_at[uid] = time.monotonic()
        await self._tell(sight.document, plan.happenings)
        if plan.status.get("phase") in {Phase.COMPLETE, Phase.FAILED}:
            self._studies.release(sight.key.namespace, uid)

    async def _tell(self, document: Document, happenings: Iterable[Happening]) -> None:
        events = collection("v1", _EVENTS, document["metadata"]["namespace"])
        for happening in happenings:
            with suppress(AlreadyExists):  # it was told before
                await self._cluster.create(events, event_of(document, happening, time.time()))

    def _forget(self, key: Key) -> None:
        metadata = self._sightings.of(key).metadata
        if metadata is not None:
            self._studies.release(key.namespace, metadata["uid"])
            self._acceptances.forget(metadata["uid"])
            self._written_at.pop(metadata["uid"], None)
        self._sightings.forget(key)


class NotOurs(LlmoptError):
    """An object that the operator would create exists and belongs to somebody else."""
