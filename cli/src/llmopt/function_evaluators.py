"""A Python function as an evaluator: served on loopback to the runners, which are processes of their own.

A runner POSTs `{"item": {...}, "answer": "..."}` and gets `{"score": x}`, or all items and answers at once
and gets a list of scores. What the function raises is kept, so that the caller sees it with its traceback.
"""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.to_thread
from aiohttp import web

from llmopt.plain_values import plain
from llmopt_core.errors.classes import LlmoptError

# Takes an item (its id, question, answer, kind, choices) and the model's answer; gives a score, 0 to 1.
EvaluateItem = Callable[[Mapping[str, Any], str], float | Awaitable[float]]
# Takes all items, their answers and the trial's parameters; gives a score, 0 to 1, for each item.
EvaluateSet = Callable[
    [Sequence[Mapping[str, Any]], Sequence[str], Mapping[str, Any]],
    Sequence[float] | Awaitable[Sequence[float]],
]
Evaluate = EvaluateItem | EvaluateSet
_OF_A_SET = 3
LOOPBACK = "127.0.0.1"
HOLD_SECONDS = 15.0


def scores_sets(evaluate: Evaluate) -> bool:
    """Say whether `evaluate` takes (items, answers, parameters), and so scores all answers at once."""
    try:
        parameters = inspect.signature(evaluate).parameters.values()
    except (TypeError, ValueError):  # some callables of C have no signature
        return False
    needed = [each for each in parameters if each.default is each.empty]
    positional = [each for each in needed if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
    return len(positional) == _OF_A_SET


class EvaluatorFailed(LlmoptError):
    """The user's evaluator raised or returned no score; `__cause__` is what it raised."""


class EvaluatorUnreachable(LlmoptError):
    """The address that the study knows its evaluator by cannot be taken again."""

    retryable = True


class EvaluatorServer:
    """Answers the runners with the scores of `evaluate`; `on_failure` hears of the first failure."""

    def __init__(self, evaluate: Evaluate, on_failure: Callable[[], None]) -> None:
        self._evaluate = evaluate
        self._on_failure = on_failure
        self._closing = anyio.Event()
        self.failure: EvaluatorFailed | None = None

    @asynccontextmanager
    async def serving(self, port: int = 0) -> AsyncIterator[str]:
        """Serve on loopback while the context lasts and yield the URL; port 0 takes a free one."""
        application = web.Application()
        application.router.add_post("/score", self._score)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            yield await _listen(runner, port)
        finally:
            self._closing.set()
            await runner.cleanup()

    async def _score(self, request: web.Request) -> web.Response:
        document = await request.json()
        if "items" in document:
            return await self._score_set(document)
        item, answer = document["item"], document["answer"]
        try:
            score = plain(await _called(self._evaluate, item, answer))
        except Exception as error:  # noqa: BLE001 - foreign code may raise anything; it is handed to its author
            return await self._failed(f"the evaluator raised {type(error).__name__}: {error}", item, error)
        if _is_score(score):
            return web.json_response({"score": float(score)})
        return await self._failed(
            f"the evaluator returned {score!r}, expected a number from 0 to 1", item, None
        )

    async def _score_set(self, document: Mapping[str, Any]) -> web.Response:
        items, answers = document["items"], document["answers"]
        try:
            scores = await _called(self._evaluate, items, answers, document["parameters"])
            listed = [plain(score) for score in scores]
        except Exception as error:  # noqa: BLE001 - foreign code may raise anything; it is handed to its author
            return await self._failed(
                f"the evaluator raised {type(error).__name__}: {error}", items[0], error
            )
        if len(listed) != len(items):
            reason = (
                f"the evaluator returned {len(listed)} scores for {len(items)} items, expected one for each"
            )
            return await self._failed(reason, items[0], None)
        for item, score in zip(items, listed, strict=True):
            if not _is_score(score):
                reason = f"the evaluator returned {score!r}, expected a number from 0 to 1"
                return await self._failed(reason, item, None)
        return web.json_response({"scores": [float(score) for score in listed]})

    async def _failed(self, reason: str, item: Mapping[str, Any], cause: Exception | None) -> web.Response:
        """Note the failure, and answer late: the runner is asked to stop and gives its trial back first."""
        message = f"{reason} (item {item.get('id')!r})"
        if self.failure is None:
            self.failure = EvaluatorFailed(message)
            self.failure.__cause__ = cause
            self._on_failure()
        with anyio.move_on_after(HOLD_SECONDS):
            await self._closing.wait()
        return web.json_response({"error": message}, status=500)


def _is_score(score: Any) -> bool:
    return isinstance(score, bool | int | float) and 0 <= score <= 1


async def _called(evaluate: Callable[..., Any], *arguments: Any) -> Any:
    """Call plain functions in a thread, so that a slow one does not hold up the others."""
    if inspect.iscoroutinefunction(evaluate):
        return await evaluate(*arguments)
    score = await anyio.to_thread.run_sync(evaluate, *arguments)
    return await score if inspect.isawaitable(score) else score


async def _listen(runner: web.AppRunner, port: int) -> str:
    site = web.TCPSite(runner, LOOPBACK, port)
    try:
        await site.start()
    except OSError as error:
        raise EvaluatorUnreachable(
            f"the study's evaluator lives at port {port}, which is taken ({error.strerror}); "
            "free it, or start over with fresh=True"
        ) from error
    return f"http://{LOOPBACK}:{runner.addresses[0][1]}/score"
