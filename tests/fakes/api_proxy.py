"""A proxy before the API server that misbehaves on request: it hangs, drops, answers errors, cuts watches."""

import asyncio
import json
import re
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import aiohttp
import yaml
from aiohttp import web
from fakes.api_client import ApiClient

_HOPS = {"connection", "content-length", "transfer-encoding", "host", "content-encoding", "keep-alive"}
Act = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Trouble:
    """What happens to requests whose `METHOD path?query` matches `pattern`; `times` None: to all of them."""

    pattern: str
    act: Act
    times: int | None = None
    met: list[float] = field(default_factory=list)

    def meets(self, line: str) -> bool:
        """Say whether it happens to this request, and count it."""
        if (self.times is not None and len(self.met) >= self.times) or not re.search(self.pattern, line):
            return False
        self.met.append(time.monotonic())
        return True


def answer(status: int, reason: str = "", **headers: str) -> Act:
    """Answer with an error as the API server words it."""

    async def act(_: web.Request) -> web.StreamResponse:
        body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": status}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.json_response(
            {**body, "message": f"the test answers {status}"}, status=status, headers=named
        )

    return act


async def hang(_: web.Request) -> web.StreamResponse:
    """Never answer."""
    await asyncio.Event().wait()
    raise AssertionError


async def drop(request: web.Request) -> web.StreamResponse:
    """Cut the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def expire(_: web.Request) -> web.StreamResponse:
    """Answer a watch with the event that says that its version is too old."""
    status = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"}
    return web.Response(text=json.dumps({"type": "ERROR", "object": status}) + "\n")


class ApiProxy:
    """Passes requests on as the administrator, after `troubles`; `kubeconfig` reaches it.

    `requests` are the lines `METHOD path?query` that it was asked, with the time.
    """

    def __init__(self, kubeconfig: Path, folder: Path) -> None:
        direct = ApiClient(kubeconfig)
        self._server, self._context = direct.server, direct.context
        self.kubeconfig = folder / "proxied.kubeconfig"
        self.troubles: list[Trouble] = []
        self.requests: list[tuple[str, float]] = []
        self._watches: set[asyncio.Transport] = set()
        self._ready = threading.Event()

    def __enter__(self) -> Self:
        """Return when it serves."""
        self._thread = threading.Thread(target=asyncio.run, args=(self._serve(),))
        self._thread.start()
        assert self._ready.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        """End it; connections that still hang are cut."""
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()

    def trouble(self, pattern: str, act: Act, times: int | None = None) -> Trouble:
        """Have something happen to requests that match; the returned trouble counts them."""
        made = Trouble(pattern, act, times)
        self.troubles.append(made)
        return made

    def heal(self) -> None:
        """Pass on everything again."""
        self.troubles.clear()

    def cut_watches(self) -> None:
        """Cut all watches that were asked for, answered yet or not."""
        for transport in tuple(self._watches):
            self._loop.call_soon_threadsafe(transport.abort)

    def asked(self, pattern: str, since: float = 0.0) -> list[float]:
        """Return when requests that match were made."""
        return [at for line, at in self.requests if at >= since and re.search(pattern, line)]

    async def swallow(self, request: web.Request) -> web.StreamResponse:
        """Have the API server carry the request out, and cut the connection instead of saying so."""
        url = f"{self._server}{request.path_qs}"
        headers = {"Content-Type": request.headers.get("Content-Type", "application/json")}
        async with self._session.request(
            request.method, url, headers=headers, data=await request.read()
        ) as done:
            await done.read()
        return await drop(request)

    async def _serve(self) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self._write_kubeconfig(runner.addresses[0][1])
        connector = aiohttp.TCPConnector(limit=0, ssl=self._context)
        timeout = aiohttp.ClientTimeout(total=None)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as self._session:
            self._ready.set()
            await self._ended.wait()
            await runner.cleanup()

    def _write_kubeconfig(self, port: int) -> None:
        named: dict[str, Any] = {
            "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
            "users": [{"name": "u", "user": {"token": "none"}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        }
        document = {"apiVersion": "v1", "kind": "Config", "current-context": "x", **named}
        self.kubeconfig.write_text(yaml.safe_dump(document))

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        line = f"{request.method} {request.path_qs}"
        cuttable = "watch=true" in request.query_string and request.transport is not None
        watch = {request.transport} if cuttable else set()
        # Before the request counts as asked: a test that saw it may cut it at once.
        self._watches |= watch
        self.requests.append((line, time.monotonic()))
        try:
            return await self._answer(line, request)
        finally:
            self._watches -= watch

    async def _answer(self, line: str, request: web.Request) -> web.StreamResponse:
        trouble = next((each for each in tuple(self.troubles) if each.meets(line)), None)
        if trouble is not None:
            return await trouble.act(request)
        try:
            return await self._pass_on(request)
        except aiohttp.ClientError:
            return await drop(request)

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        headers = {k: v for k, v in request.headers.items() if k.lower() not in {*_HOPS, "authorization"}}
        async with self._session.request(
            request.method,
            f"{self._server}{request.path_qs}",
            headers=headers,
            data=await request.read(),
            skip_auto_headers=("Content-Type",),
        ) as upstream:
            try:
                return await self._copied(request, upstream)
            finally:
                # Of what is cut off: an orderly end of TLS may take longer than the proxy lives.
                if (connection := upstream.connection) is not None and connection.transport is not None:
                    connection.transport.abort()

    async def _copied(self, request: web.Request, upstream: aiohttp.ClientResponse) -> web.StreamResponse:
        kept = {k: v for k, v in upstream.headers.items() if k.lower() not in _HOPS}
        response = web.StreamResponse(status=upstream.status, headers=kept)
        await response.prepare(request)
        async for chunk in upstream.content.iter_any():
            await response.write(chunk)
        await response.write_eof()
        return response
