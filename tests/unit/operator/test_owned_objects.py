import asyncio
from typing import Any

import pytest

from llmopt_operator.adapters.kubernetes import AlreadyExists, NotFound
from llmopt_operator.adapters.owned_objects import NotOurs, create_owned, delete_owned

_OWNER = {"kind": "LLMOptimization", "name": "demo", "uid": "new", "controller": True}
_BODY = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "demo-1", "namespace": "ns", "ownerReferences": [_OWNER]},
}


class Occupied:
    """An API server in which an object of the same name exists."""

    def __init__(self, owners: list[dict[str, Any]] | None) -> None:
        self._owners = owners
        self.deleted: list[tuple[str, str]] = []

    async def create(self, collection: str, _body: dict[str, Any]) -> dict[str, Any]:
        raise AlreadyExists("POST", collection, 409, "there")

    async def get(self, _path: str) -> dict[str, Any]:
        return {**_BODY, "metadata": {**_BODY["metadata"], "ownerReferences": self._owners}}

    async def metadata(self, path: str) -> dict[str, Any]:
        if self._owners is None:
            raise NotFound("GET", path, 404, "none")
        return {"uid": "its own", "ownerReferences": self._owners}

    async def delete(self, path: str, *, uid: str) -> None:
        self.deleted.append((path, uid))


def _create(owners: list[dict[str, Any]]) -> dict[str, Any] | None:
    return asyncio.run(create_owned(Occupied(owners), dict(_BODY), "configmaps"))  # type: ignore[arg-type]


def test_what_is_there_and_ours_is_left():
    """Creating it again is harmless."""
    assert _create([_OWNER]) is None


@pytest.mark.parametrize(
    ("owner", "passing"),
    [
        ({**_OWNER, "uid": "old"}, True),
        ({**_OWNER, "name": "another", "uid": "old"}, False),
        ({"kind": "Deployment", "name": "demo", "uid": "x"}, False),
    ],
    ids=["an earlier resource of this name", "another resource", "another kind"],
)
def test_what_belongs_to_another_is_refused(owner, passing):
    """What an earlier resource of the same name left is gone in a moment; all else is somebody's."""
    with pytest.raises(NotOurs) as caught:
        _create([owner])
    assert caught.value.retryable is passing
    assert f"{owner['kind']} {owner['name']}" in caught.value.problem.message


@pytest.mark.parametrize(
    ("owners", "deleted"),
    [
        ([_OWNER], [("path", "its own")]),
        ([{**_OWNER, "uid": "of the resource that took the name"}], []),
        ([], []),
        (None, []),
    ],
    ids=["ours", "another resource's", "nobody's", "gone"],
)
def test_only_what_is_ours_is_deleted(owners, deleted):
    """Another resource of the same name has objects of the same name: they stay."""
    server = Occupied(owners)
    asyncio.run(delete_owned(server, "path", "new"))  # type: ignore[arg-type]
    assert server.deleted == deleted
