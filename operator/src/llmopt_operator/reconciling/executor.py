"""Carries out what was decided about one resource: each action by a few requests that may be repeated.

It names what it changes by its identity: another resource may have taken the name meanwhile.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llmopt_core.api.kinds import Kind
from llmopt_core.resources import LLMOptimization, Resource
from llmopt_operator.adapters.kubernetes import (
    STRATEGIC_MERGE_PATCH,
    Cluster,
    NotFound,
    collection,
    path_of,
)
from llmopt_operator.adapters.owned_objects import create_owned, delete_owned
from llmopt_operator.adapters.studies import Studies
from llmopt_operator.domain.actions import (
    Action,
    DeleteResource,
    EndStudy,
    MakeStudy,
    ReopenStudy,
    StartRunners,
    StopRunners,
    WriteArguments,
    WriteBest,
)
from llmopt_operator.domain.observed import Observed
from llmopt_operator.reconciling.acceptance import Acceptances
from llmopt_operator.reconciling.admission import Admission
from llmopt_operator.reconciling.observations import Observations, Remembered, Watched
from llmopt_operator.settings import OperatorSettings
from llmopt_operator.specs.config_maps import best_config_map, manifest_config_map
from llmopt_operator.specs.deployments import arguments_patch
from llmopt_operator.specs.jobs import runner_job
from llmopt_operator.specs.names import Key

JOBS, CONFIG_MAPS, DEPLOYMENTS = "jobs", "configmaps", "deployments"
Document = Mapping[str, Any]


@dataclass(frozen=True)
class State:
    """One resource with all that was seen of it."""

    key: Key
    document: Document
    observed: Observed

    @property
    def uid(self) -> str:
        """The resource's identity."""
        return str(self.document["metadata"]["uid"])

    @property
    def path(self) -> str:
        """Where the API server has the resource."""
        return path_of(self.document, Kind(self.key.kind).plural)


class Executor:
    """Carries out actions. Raises ApiError, NotOurs and StorageProblem."""

    def __init__(
        self,
        cluster: Cluster,
        studies: Studies,
        observations: Observations,
        settings: OperatorSettings,
        acceptances: Acceptances,
        admission: Admission,
    ) -> None:
        self._cluster = cluster
        self._studies = studies
        self._observations = observations
        self._settings = settings
        self._acceptances = acceptances
        self._admission = admission

    async def act(self, state: State, action: Action) -> None:
        """Do one thing about a resource."""
        match action:
            case MakeStudy():
                await self._studies.make(state.key, self._resource(state))
            case ReopenStudy():
                await self._studies.reopen(state.key, self._resource(state))
            case EndStudy(reason, message, failed):
                await self._studies.end(state.key, self._resource(state), reason, message, failed=failed)
            case StartRunners():
                await self._start(state)
            case StopRunners(name):
                await self._stop(state, name)
            case WriteBest():
                await self._write_best(state)
            case WriteArguments():
                await self._write_arguments(state, action)
            case DeleteResource():
                await self._cluster.delete(state.path, uid=state.uid, propagation="Background")

    def _resource(self, state: State) -> Resource:
        return self._acceptances.resource(state.document)

    async def _start(self, state: State) -> None:
        await create_owned(self._cluster, manifest_config_map(state.document), CONFIG_MAPS)
        resource = self._resource(state)
        referenced = self._admission.referenced(state.key, resource)
        body = runner_job(state.document, resource, self._settings, referenced)
        created = await create_owned(self._cluster, body, JOBS)
        self._observations.job(created or await self._cluster.get(path_of(body, JOBS)))

    async def _stop(self, state: State, name: str) -> None:
        config_map = f"{collection('v1', CONFIG_MAPS, state.key.namespace)}/{name}"
        await delete_owned(self._cluster, config_map, state.uid)
        uid = next((job.uid for job in state.observed.jobs if job.name == name), "")
        path = f"{collection('batch/v1', JOBS, state.key.namespace)}/{name}"
        await self._cluster.delete(path, uid=uid)
        try:
            self._observations.job(await self._cluster.get(path))
        except NotFound:
            self._observations.lose(Remembered(Watched.JOBS, state.key, name, uid))

    async def _write_best(self, state: State) -> None:
        resource = self._resource(state)
        if not isinstance(resource, LLMOptimization):
            return  # a benchmark recommends nothing
        found = await self._studies.result(state.key, resource)
        if found.trial is None:  # nothing is written of what is not trusted
            return
        body = best_config_map(state.document, resource, found)
        if await create_owned(self._cluster, body, CONFIG_MAPS) is None:
            await self._cluster.patch(path_of(body, CONFIG_MAPS), {"data": body["data"]})

    async def _write_arguments(self, state: State, action: WriteArguments) -> None:
        path = f"{collection('apps/v1', DEPLOYMENTS, state.key.namespace)}/{action.deployment}"
        await self._cluster.patch(path, arguments_patch(action), content_type=STRATEGIC_MERGE_PATCH)
