import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from fakes import virtual_time

from llmopt_operator.adapters.kubernetes import ApiError, Conflict, Forbidden, NotFound
from llmopt_operator.adapters.leases import DURATION_SECONDS, RENEW_DEADLINE_SECONDS, Lease

_API = "/apis/coordination.k8s.io/v1/namespaces/ns/leases"


@dataclass
class LeaseServer:
    """The API server of one Lease; what `trouble` does comes before each answer."""

    lease: dict[str, Any] | None = None
    trouble: Callable[[], Awaitable[None]] | None = None
    events: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    async def get(self, path: str) -> dict[str, Any]:
        await self._ask("GET")
        if self.lease is None:
            raise NotFound("GET", path, 404, "not found")
        return self.lease

    async def create(self, collection: str, body: dict[str, Any]) -> dict[str, Any]:
        if collection.endswith("/events"):
            self.events.append(body)
            return body
        await self._ask("POST")
        return self._store(body, 1)

    async def replace(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        await self._ask("PUT")
        assert self.lease is not None
        if self.lease["metadata"]["resourceVersion"] != body["metadata"]["resourceVersion"]:
            raise Conflict("PUT", path, 409, "the object has been modified")
        return self._store(body, int(body["metadata"]["resourceVersion"]) + 1)

    @property
    def holder(self) -> str:
        return self.lease["spec"]["holderIdentity"] if self.lease else ""

    def lease_of(self, identity: str) -> Lease:
        clock = asyncio.get_running_loop().time
        return Lease(self, "ns", "one", identity, clock=clock)  # type: ignore[arg-type]

    def touch(self) -> None:
        """Have somebody annotate the Lease."""
        assert self.lease is not None
        self._store(self.lease, int(self.lease["metadata"]["resourceVersion"]) + 1)

    def _store(self, body: dict[str, Any], version: int) -> dict[str, Any]:
        self.lease = {**body, "metadata": {**body["metadata"], "resourceVersion": str(version)}}
        return self.lease

    async def _ask(self, verb: str) -> None:
        self.asked.append(verb)
        if self.trouble is not None:
            await self.trouble()


async def _hang() -> None:
    await asyncio.Event().wait()


async def _break() -> None:
    raise ApiError("PUT", _API, 500, "etcd is away")


async def _refuse() -> None:
    raise Forbidden("GET", _API, 403, "may not")


def _now() -> float:
    return asyncio.get_running_loop().time()


@pytest.mark.parametrize("trouble", [_hang, _break])
def test_a_leader_that_cannot_renew_stops_well_before_its_lease_expires(trouble):
    """It gives up when its renewals hang or fail for the deadline, counted from before its last good one."""

    async def lose() -> tuple[float, float]:
        server = LeaseServer()
        lease = server.lease_of("a")
        await lease.acquire()
        holding = asyncio.create_task(lease.hold())
        await asyncio.sleep(31)
        renewed = _now() - 1  # it renews every two seconds
        server.trouble = trouble
        await holding
        assert not lease.may_act
        return _now() - renewed, lease.seconds_left

    seconds, left = virtual_time.run(lose())
    assert seconds == pytest.approx(RENEW_DEADLINE_SECONDS, abs=0.1)
    assert left == pytest.approx(DURATION_SECONDS - RENEW_DEADLINE_SECONDS, abs=0.1)


def test_one_renewal_that_hangs_is_made_up_for():
    """A single request without an answer is given up in time for the next one to renew."""

    async def hold() -> bool:
        server = LeaseServer()
        lease = server.lease_of("a")
        await lease.acquire()
        holding = asyncio.create_task(lease.hold())
        for _ in range(5):
            server.trouble = _hang
            await asyncio.sleep(6)
            server.trouble = None
            await asyncio.sleep(3)
        held = not holding.done() and lease.may_act
        holding.cancel()
        return held

    assert virtual_time.run(hold())


def test_another_takes_over_only_after_the_first_stopped():
    """While the first leader's requests hang, the second acts later than the first gave up, and soon."""

    async def hand_over() -> tuple[float, float]:
        first_server, second_server = LeaseServer(), LeaseServer()
        first, second = first_server.lease_of("a"), second_server.lease_of("b")
        await first.acquire()
        second_server.lease = first_server.lease
        first_server.trouble = _hang
        waiting = asyncio.create_task(second.acquire())
        await first.hold()
        stopped = _now()
        assert not waiting.done()
        await waiting
        return stopped, _now()

    stopped, taken = virtual_time.run(hand_over())
    assert stopped < DURATION_SECONDS
    assert DURATION_SECONDS < taken < DURATION_SECONDS + 5


def test_a_leader_whose_lease_another_took_stops_at_once():
    """A lease that names another holder is not fought over."""

    async def lose() -> float:
        server = LeaseServer()
        lease = server.lease_of("a")
        await lease.acquire()
        assert server.lease is not None
        server.lease["spec"] = {"holderIdentity": "b", "leaseDurationSeconds": 15, "renewTime": "later"}
        server.touch()
        await lease.hold()
        assert server.holder == "b"
        return _now()

    assert virtual_time.run(lose()) < 5


def test_a_leader_whose_lease_was_annotated_keeps_it():
    """A change by somebody who does not want to lead costs one attempt, not the lead."""

    async def hold() -> bool:
        server = LeaseServer()
        lease = server.lease_of("a")
        await lease.acquire()
        holding = asyncio.create_task(lease.hold())
        for _ in range(10):
            server.touch()
            await asyncio.sleep(6)
        held = not holding.done()
        holding.cancel()
        return held

    assert virtual_time.run(hold())


def test_renewing_is_one_request():
    """A leader writes what it wrote before, without reading it again."""

    async def hold() -> list[str]:
        server = LeaseServer()
        lease = server.lease_of("a")
        await lease.acquire()
        server.asked.clear()
        holding = asyncio.create_task(lease.hold())
        await asyncio.sleep(9)
        holding.cancel()
        return server.asked

    assert virtual_time.run(hold()) == ["PUT"] * 4


def test_a_lease_that_may_not_be_asked_for_is_reported_once():
    """A refusal is one event of the Lease and the lease's problem, until it is allowed."""

    async def wait() -> tuple[list[str], str, str]:
        server = LeaseServer(trouble=_refuse)
        lease = server.lease_of("a")
        waiting = asyncio.create_task(lease.acquire())
        await asyncio.sleep(60)
        said, problem = [event["reason"] for event in server.events], lease.problem
        server.trouble = None
        await waiting
        return said, problem, lease.problem

    said, problem, after = virtual_time.run(wait())
    assert said == ["LeaseRefused"]
    assert "may not" in problem
    assert after == ""


def test_a_released_lease_is_taken_at_once():
    """An operator that waits acts within one retry after the leader ended gracefully."""

    async def hand_over() -> float:
        server = LeaseServer()
        first, second = server.lease_of("a"), server.lease_of("b")
        await first.acquire()
        waiting = asyncio.create_task(second.acquire())
        await asyncio.sleep(5)
        await first.release()
        released = _now()
        await waiting
        return _now() - released

    assert virtual_time.run(hand_over()) <= 2
