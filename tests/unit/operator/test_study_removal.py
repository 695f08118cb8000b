"""Which studies of a database go, and which stay."""

import asyncio
from typing import Any

from llmopt_operator.adapters.kubernetes import Identity
from llmopt_operator.loops.study_removal import Sweep
from llmopt_operator.reconciling.observations import Observations


class Database:
    """Stands for the studies of one database that several namespaces share."""

    def __init__(self, own: tuple[str, ...], nobodys: tuple[str, ...]) -> None:
        self.own, self.nobodys = own, nobodys
        self.adopted: list[str] = []
        self.dropped: list[str] = []

    async def dispensable(self, _namespace: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return self.own, self.nobodys

    async def adopt(self, _namespace: str, names: list[str]) -> None:
        self.adopted += names

    async def drop(self, _namespace: str, names: list[str]) -> None:
        self.dropped += names

    def release(self, _namespace: str) -> None:
        pass


class Cluster:
    """Has one resource of each kind."""

    async def identities(self, path: str) -> tuple[Identity, ...]:
        return (Identity("any", "there" if "llmoptimizations" in path else "old", "1"),)


def _swept(own: tuple[str, ...], nobodys: tuple[str, ...]) -> Database:
    database = Database(own, nobodys)
    studies: Any = database
    cluster: Any = Cluster()
    asyncio.run(Sweep(cluster, studies, Observations(), ["team-a"])._sweep("team-a"))
    return database


def test_only_own_studies_without_a_resource_are_dropped() -> None:
    """A study whose resource is there stays."""
    assert _swept(("there", "gone"), ()).dropped == ["gone"]


def test_a_study_of_an_earlier_version_is_never_dropped_by_guess() -> None:
    """One that says nobody's name is signed where its resource is there, and left alone otherwise."""
    database = _swept((), ("old", "another-namespaces"))
    assert database.adopted == ["old"]
    assert database.dropped == []
