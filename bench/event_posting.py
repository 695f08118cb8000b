"""What posting events costs: kopf's event posting and the operator's own, alternately, on one HTTP server.

    .venv/bin/python bench/event_posting.py [--events 1000] [--objects 100] [--rounds 5]

The server is a process of its own that accepts every event at once. The CPU seconds are those of the process
that posts. kopf's poster is run as `kopf.operator` runs it, without an operator around it.
"""

import argparse
import asyncio
import contextlib
import logging
import multiprocessing
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import aiohttp
import kopf
from aiohttp import web
from kopf._cogs.clients.auth import vault_var
from kopf._cogs.structs import bodies, credentials, references
from kopf._core.engines import posting

from llmopt_operator.adapters.connections import Connection
from llmopt_operator.adapters.kubernetes import Cluster
from llmopt_operator.domain.actions import Event
from llmopt_operator.metrics import OperatorMetrics
from llmopt_operator.reconciling.event_posts import EventPosts
from llmopt_runner.engines.ports import free_port

Document = dict[str, Any]
Post = Callable[[str, Sequence[Document], int, Callable[[], Awaitable[None]]], Awaitable[None]]
EVENTS = references.Resource(group="", version="v1", plural="events", namespaced=True)


def serve(port: int) -> None:
    """Accept events; `/all/N` answers when N have come since the last such request was answered."""
    arrived, more = 0, asyncio.Condition()

    async def accept(request: web.Request) -> web.Response:
        nonlocal arrived
        body = await request.json()
        async with more:
            arrived += 1
            more.notify_all()
        return web.json_response(body, status=201)

    async def wait(request: web.Request) -> web.Response:
        nonlocal arrived
        async with more:
            await more.wait_for(lambda: arrived >= int(request.match_info["count"]))
            arrived = 0
        return web.Response()

    app = web.Application()
    app.add_routes([web.post("/api/v1/namespaces/{namespace}/events", accept), web.get("/all/{count}", wait)])
    web.run_app(app, host="127.0.0.1", port=port, print=None, access_log=None)


def document(number: int) -> Document:
    metadata = {"name": f"r{number:04}", "namespace": "ns", "uid": f"uid-{number}", "generation": 1}
    return {"apiVersion": "llmopt.dev/v1alpha1", "kind": "LLMOptimization", "metadata": metadata}


async def with_kopf(
    url: str, documents: Sequence[Document], each: int, arrived: Callable[[], Awaitable[None]]
) -> None:
    """Post by `kopf.event`."""
    vault = credentials.Vault({credentials.VaultKey("bench"): kopf.ConnectionInfo(server=url)})
    queue: asyncio.Queue[posting.K8sEvent] = asyncio.Queue()
    settings = kopf.OperatorSettings()
    vault_var.set(vault)
    posting.settings_var.set(settings)
    posting.event_queue_var.set(queue)
    posting.event_queue_loop_var.set(asyncio.get_running_loop())
    backbone = references.Backbone()
    await backbone.fill(resources=[EVENTS])
    poster = asyncio.create_task(
        posting.poster(event_queue=queue, backbone=backbone, settings=settings), name="poster"
    )
    for number in range(each):
        for one in documents:
            body = bodies.Body(one)
            kopf.event(body, type="Normal", reason="BestImproved", message=f"trial {number} is better")
    await arrived()
    poster.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await poster
    await vault.close()


async def with_ours(
    url: str, documents: Sequence[Document], each: int, arrived: Callable[[], Awaitable[None]]
) -> None:
    """Post by the operator's own code: one object's events after one another, the objects' side by side."""
    session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
    posts = EventPosts(Cluster(Connection(session, kopf.ConnectionInfo(server=url)), OperatorMetrics()))

    async def post(one: Document) -> None:
        for number in range(each):
            error = await posts.post(one, [Event("BestImproved", f"trial {number} is better")])
            if error is not None:
                raise error

    await asyncio.gather(*(post(one) for one in documents))
    await arrived()
    await session.close()


async def cpu_seconds(post: Post, url: str, objects: int, each: int) -> float:
    """Return the CPU seconds of posting `each` events of each of `objects` resources."""
    documents = [document(number) for number in range(objects)]

    async def arrived() -> None:
        async with aiohttp.ClientSession() as session, session.get(f"{url}/all/{objects * each}") as answer:
            answer.raise_for_status()

    before = time.process_time()
    await post(url, documents, each, arrived)
    return time.process_time() - before


async def answering(url: str) -> None:
    """Return once the server answers."""
    async with aiohttp.ClientSession() as session:
        while True:
            with contextlib.suppress(aiohttp.ClientConnectionError):
                async with session.get(f"{url}/all/0"):
                    return
            await asyncio.sleep(0.1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1000)
    parser.add_argument("--objects", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    logging.disable(logging.INFO)
    port = free_port("127.0.0.1")
    url = f"http://127.0.0.1:{port}"
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(port,), daemon=True)
    server.start()
    asyncio.run(answering(url))
    posts: dict[str, Post] = {"kopf": with_kopf, "ours": with_ours}
    found: dict[str, list[float]] = {name: [] for name in posts}
    each = options.events // options.objects
    for _ in range(options.rounds + 1):
        for name, post in posts.items():
            found[name].append(asyncio.run(cpu_seconds(post, url, options.objects, each)))
    server.terminate()
    for name, seconds in found.items():
        measured = [
            spent * 1000 / (each * options.objects) for spent in seconds[1:]
        ]  # the first one warms up
        times = ", ".join(f"{one:.2f}" for one in sorted(measured))
        print(f"{name}: median {statistics.median(measured):.2f} CPU s for 1,000 events ({times})")


if __name__ == "__main__":
    main()
