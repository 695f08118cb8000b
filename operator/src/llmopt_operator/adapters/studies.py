"""The studies of all resources: made, looked at where something changed, ended and dropped."""

import logging
import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from llmopt_core.api.reasons import Reason
from llmopt_core.errors.classes import LlmoptError
from llmopt_core.resources import LLMOptimization, Resource
from llmopt_core.results.results import OptimizationResult
from llmopt_core.sampling.opening import add_own_study, own_study
from llmopt_core.sampling.others import ReferenceInvalid, WarmStartInvalid
from llmopt_core.storage.definitions import NothingToSearch, study_name
from llmopt_core.storage.errors import EnqueueInvalid, SamplerUnavailable, StudyMismatch
from llmopt_core.storage.pulses import UNTOUCHED, Pulse
from llmopt_core.storage.snapshot import too_many
from llmopt_core.storage.storages import DROP_SECONDS, Storage
from llmopt_core.storage.studies import DELETE, KEEP
from llmopt_operator.adapters.kubernetes import ApiError
from llmopt_operator.adapters.owners import Owners
from llmopt_operator.adapters.readings import read_study, result_written
from llmopt_operator.adapters.slots import StorageProblem
from llmopt_operator.adapters.storages import ACCESS, NamespaceDatabase, Storages
from llmopt_operator.domain.observed import Problem, StudySeen
from llmopt_operator.domain.rollups import unchanged, untouched
from llmopt_operator.specs.names import Key

log = logging.getLogger(__name__)
# An active study is looked at this often though no trial changed: for its runners and the time left.
_LOOK_SECONDS = 20.0
# Why no study can be made of a sound manifest: what it builds upon is not there yet, or its name is taken.
_UNMAKEABLE: Mapping[type[LlmoptError], Reason] = {
    EnqueueInvalid: Reason.ENQUEUE_INVALID,
    NothingToSearch: Reason.NOTHING_TO_SEARCH,
    ReferenceInvalid: Reason.REFERENCE_INVALID,
    SamplerUnavailable: Reason.SAMPLER_UNAVAILABLE,
    StudyMismatch: Reason.STUDY_MISMATCH,
    WarmStartInvalid: Reason.WARM_START_INVALID,
}


class Studies:
    """Reads and writes the studies of resources. Raises StorageProblem where a storage cannot be used."""

    def __init__(self, storages: Storages, owners: Owners) -> None:
        self._storages = storages
        self._owners = owners
        self._reported: dict[str, Pulse | None] = {}  # by study
        self._looked_at: dict[str, float] = {}  # by study
        self._new: dict[str, bool] = {}  # by study: whether it was made, or is only taken for new
        self._failing: dict[str, Problem] = {}  # by namespace: what was last wrong with its storage

    async def see(
        self, key: Key, resource: Resource, status: Mapping[str, Any], *, begun: bool, idle: bool
    ) -> StudySeen | None:
        """Return the study of `resource` as it is now, None where there is none.

        `status` is what was last written of it: where no trial changed since, the study is not read, unless
        no runner is left (`idle`) and the status still shows one. Of what has not `begun` no study is looked
        for at first: to make one finds one that is there.
        """
        name = study_name(resource)
        made = self._new.pop(name, None)
        if made:
            return _marked(untouched(name, resource), UNTOUCHED)
        if made is None and not begun:
            self._new[name] = False
            return None
        database = await self._storages.database(key.namespace)
        pulse = await self._storages.pulse(database, name)
        seen: StudySeen | None
        if pulse is None:
            database.studies.pop(name, None)
            return None
        if not pulse.begun and not pulse.ended:
            seen = untouched(name, resource)
        elif self._is_known(name, pulse, status) and not (idle and _shows_runners(status)):
            seen = unchanged(status)
        else:
            owner = await self._owners.of(key.namespace)
            seen = await self._read(database, name, resource, pulse, owner)
            self._looked_at[name] = time.monotonic()
        return None if seen is None else _marked(seen, pulse.mark)

    async def _read(
        self, database: NamespaceDatabase, name: str, resource: Resource, pulse: Pulse, owner: str
    ) -> StudySeen | None:
        if pulse.trials > ACCESS.most_trials:
            database.studies.pop(name, None)
            raise StorageProblem(
                Problem(Reason.STUDY_UNREADABLE, str(too_many(name, ACCESS)), retry_seconds=60.0)
            )
        if name not in database.studies:
            self._storages.trim(spare_bytes=ACCESS.kept_bytes)
        try:
            seen = await self._storages.within(database, lambda: read_study(database, name, resource, owner))
        except StorageProblem:
            database.studies.pop(name, None)  # it may hold half of what there is; it is read anew
            raise
        self._storages.trim()
        return seen

    async def make(self, key: Key, resource: Resource) -> None:
        """Create the study of `resource`, or open it; what it cannot be made from is a StorageProblem too."""
        database = await self._storages.database(key.namespace)
        owner = await self._owners.of(key.namespace)
        expected = tuple(_UNMAKEABLE)
        try:
            made = await self._storages.within(
                database, lambda: _make(database.storage, resource, owner), expected=expected
            )
        except expected as error:
            reason = next(reason for type_, reason in _UNMAKEABLE.items() if isinstance(error, type_))
            raise StorageProblem(Problem(reason, str(error))) from error
        if made:
            self._new[study_name(resource)] = True

    async def reopen(self, key: Key, resource: Resource) -> None:
        """Let the ended study of `resource` go on."""
        database = await self._storages.database(key.namespace)
        name = study_name(resource)

        def go_on() -> None:
            database.opened(name).study.reopen()

        await self._storages.within(database, go_on)

    async def end(self, key: Key, resource: Resource, reason: str, message: str, *, failed: bool) -> None:
        """End the study of `resource`, unless it was ended already."""
        database = await self._storages.database(key.namespace)
        name = study_name(resource)
        await self._storages.within(
            database, lambda: database.opened(name).study.end(reason, message, failed=failed)
        )

    async def result(self, key: Key, resource: LLMOptimization) -> OptimizationResult:
        """Return what the study of `resource` has found so far, without any text of its rows."""
        database = await self._storages.database(key.namespace)
        name = study_name(resource)
        return await self._storages.within(
            database, lambda: result_written(database.opened(name).study.picture(), resource)
        )

    async def dispensable(self, namespace: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the names of the studies that are to go with their resource: this namespace's, and nobody's.

        Of the latter an earlier version did not say whose they are.
        """
        database, owner = await self._storages.database(namespace), await self._owners.of(namespace)
        found = await self._storages.within(database, database.storage.dispensable_studies)
        own = tuple(name for name, whose in found.items() if whose == owner)
        return own, tuple(name for name, whose in found.items() if whose is None)

    async def adopt(self, namespace: str, names: Iterable[str]) -> None:
        """Say that the studies `names` are of resources of this namespace."""
        database, owner = await self._storages.database(namespace), await self._owners.of(namespace)

        def sign(name: str) -> None:
            database.storage.open_study(name).retain(DELETE, owner)

        for name in names:
            await self._storages.within(database, partial(sign, name))

    async def drop(self, namespace: str, names: Iterable[str]) -> None:
        """Delete the studies `names` of resources that are gone."""
        database = await self._storages.database(namespace)
        for name in names:
            await self._storages.within(database, partial(database.storage.drop_study, name), DROP_SECONDS)
        self.release(namespace)

    def release(self, namespace: str, name: str = "") -> None:
        """Keep the study `name` open no longer."""
        self._reported.pop(name, None)
        self._looked_at.pop(name, None)
        self._new.pop(name, None)
        self._storages.leave(namespace, name)

    def close_unused(self) -> None:
        """Close the databases that nobody used for a while."""
        self._storages.close_unused()

    async def changed(self, namespace: str, keys: Mapping[str, Key]) -> tuple[Key, ...]:
        """Return those of `keys` (by the study's name) that changed since, or are due for a look.

        All are returned when the storage begins or ceases to fail, and none while it goes on failing: each
        comes back by itself.
        """
        before = self._failing.get(namespace)
        try:
            database = await self._storages.database(namespace)
            pulses = await self._storages.pulses(database, tuple(keys))
        except StorageProblem as error:
            self._failing[namespace] = error.problem
            return () if before == error.problem else tuple(keys.values())
        except ApiError as error:
            log.warning("the storage of namespace %s is not known now: %s", namespace, error)
            return ()
        if self._failing.pop(namespace, None) is not None:
            return tuple(keys.values())
        return tuple(key for name, key in keys.items() if self._is_news(name, pulses.get(name)))

    @property
    def active(self) -> int:
        """How many studies are kept."""
        return self._storages.open_studies

    def _is_news(self, name: str, pulse: Pulse | None) -> bool:
        if self._reported.get(name) == pulse and name in self._reported and not self._is_due(name):
            return False
        self._reported[name] = pulse
        return True

    def _is_known(self, name: str, pulse: Pulse, status: Mapping[str, Any]) -> bool:
        return not pulse.ended and status.get("studyMark") == pulse.mark and not self._is_due(name)

    def _is_due(self, name: str) -> bool:
        return time.monotonic() - self._looked_at.get(name, -math.inf) > _LOOK_SECONDS


def _shows_runners(status: Mapping[str, Any]) -> bool:
    return any("ended" not in runner for runner in status.get("runners", ()))


def _make(storage: Storage, resource: Resource, owner: str) -> bool:
    """Create the study of `resource` or open it; say whether it is new.

    A later sweep knows nothing of the resource: its request is written into the study.
    """
    made = add_own_study(storage, resource)
    if not made or resource.spec.study_retention != KEEP:
        own_study(storage, resource).retain(resource.spec.study_retention, owner)
    return made


def _marked(seen: StudySeen, mark: str) -> StudySeen:
    return replace(seen, figures={**seen.figures, "studyMark": mark})
