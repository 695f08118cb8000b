# ruff: noqa: INP001 - vLLM imports it by its plain name
"""Lets a measuring client empty the prefix cache of its `vllm serve`, and do nothing else.

vLLM has an endpoint for that only in its development mode, together with others that replace weights and call
any method of its workers, which every page open in a browser of this machine could reach. This file is
imported by vLLM (`--middleware llmopt_prefix_cache.PrefixCacheReset`) in vLLM's own environment: nothing but
the standard library, and a folder of its own, so that nothing beside it can be imported by mistake.
"""

from collections.abc import Awaitable, Callable
from typing import Any

PATH = "/llmopt/reset_prefix_cache"

Asgi = Callable[[Any, Any, Any], Awaitable[None]]


class PrefixCacheReset:
    """Answers a POST of PATH with 200 once the cache is empty, with 503 while requests hold parts of it."""

    def __init__(self, app: Asgi) -> None:
        """Keep the application that all other requests are for."""
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection, as ASGI has it."""
        if scope.get("path") != PATH or scope.get("method") != "POST":
            await self._app(scope, receive, send)
            return
        emptied = await scope["app"].state.engine_client.reset_prefix_cache()
        await send({"type": "http.response.start", "status": 200 if emptied else 503, "headers": []})
        await send({"type": "http.response.body"})
