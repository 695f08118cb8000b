"""Two small HTTP servers: metrics, and health that is proved rather than claimed."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

# Each part says that it lives so often; one that is silent for longer is stuck.
LONGEST_SILENCE_SECONDS = 120.0


@dataclass
class Pulse:
    """What parts of the operator said of themselves: when they last did their work, and what is wrong."""

    clock: Callable[[], float] = time.monotonic
    _last: dict[str, float] = field(default_factory=dict)
    _wrong: dict[str, str] = field(default_factory=dict)

    def beat(self, part: str) -> None:
        """Say that `part` has just done its work and found nothing wrong."""
        self._last[part] = self.clock()
        self._wrong.pop(part, None)

    def wrong(self, part: str, message: str) -> None:
        """Say that `part` has found something wrong that a restart may mend."""
        self._wrong[part] = message

    def problems(self) -> tuple[str, ...]:
        """Return what is wrong now, nothing where all is well."""
        now = self.clock()
        silent = (
            f"{part}: silent for {now - last:.0f} s"
            for part, last in self._last.items()
            if now - last > LONGEST_SILENCE_SECONDS
        )
        return (*silent, *(f"{part}: {message}" for part, message in self._wrong.items()))


def health_app(pulse: Pulse, ready: Callable[[], bool]) -> web.Application:
    """Return the server of /healthz (200 while all parts live) and /readyz."""

    async def healthz(_: web.Request) -> web.Response:
        problems = pulse.problems()
        return web.Response(status=503 if problems else 200, text="\n".join(problems) or "ok")

    async def readyz(_: web.Request) -> web.Response:
        return web.Response(status=200, text="ok") if ready() else web.Response(status=503, text="starting")

    app = web.Application()
    app.add_routes([web.get("/healthz", healthz), web.get("/readyz", readyz)])
    return app


def metrics_app(registry: CollectorRegistry) -> web.Application:
    """Return the server of /metrics."""

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.add_routes([web.get("/metrics", metrics)])
    return app


@asynccontextmanager
async def serving(app: web.Application, port: int) -> AsyncIterator[int]:
    """Serve `app` on `port` (0: any free one) of all interfaces; give the port."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, port=port, reuse_address=True)
    try:
        await site.start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
