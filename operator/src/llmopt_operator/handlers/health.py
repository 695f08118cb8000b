"""Two small HTTP servers: metrics, and health that is proved rather than claimed.

kopf's own endpoint of probes is not used: it exists only while kopf's watches run, so an operator that
waits for the lease would be killed by its liveness probe, and it has no readiness.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from llmopt_operator.liveness import Pulse


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
