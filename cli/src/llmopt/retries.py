"""An own function that is called again, or replaced by another one, by the class of its error.

The classes are those of studies (`ErrorClass`), and so is what they mean: what may work the next time is
tried again, what cannot work here has a fallback, and what nobody expected is raised as it is.
"""

import inspect
import time
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

import anyio

from llmopt_core.errors.classes import ErrorClass, LlmoptError, RetryPolicy
from llmopt_core.errors.classification import Evidence, cause_of, classify
from llmopt_core.errors.policies import POLICIES
from llmopt_core.errors.unexpected import failure_of
from llmopt_core.resources.faults import did_you_mean

P = ParamSpec("P")
R = TypeVar("R")
_LONGEST_WAIT_SECONDS = 60.0
_MAY_PASS = frozenset({RetryPolicy.RETRY, RetryPolicy.OUTAGE})
_RULED_OUT = frozenset({RetryPolicy.INFEASIBLE})


class ClassUnknown(LlmoptError):
    """An error class was named that there is not."""


def error_class_of(error: Exception) -> ErrorClass:
    """Return the class of `error`: its own, or the one that its kind or its text is known by."""
    if isinstance(error, LlmoptError):
        return error.failure.error_class
    known = failure_of(error).error_class
    evidence = Evidence(log=f"{type(error).__name__}: {error}", served=True)
    return classify(evidence).error_class if known is ErrorClass.UNKNOWN and cause_of(evidence) else known


def retrying(
    classes: Collection[ErrorClass | str] | None = None, *, attempts: int = 3, wait_seconds: float = 1.0
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a function, plain or async, to be called up to `attempts` times where its error may pass.

    `classes` are those that are tried again; None: every class that may work the next time, such as CudaFault
    or PortBusy. The first wait takes `wait_seconds`, each further one twice as long, and at most a minute.
    The last error is raised as it came. Raises ClassUnknown.
    """
    wanted = _known(classes)
    waits = [min(wait_seconds * 2**n, _LONGEST_WAIT_SECONDS) for n in range(attempts - 1)]

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        if inspect.iscoroutinefunction(function):
            return cast("Callable[P, R]", _awaited_again(function, wanted, waits))

        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            for wait in waits:
                with _suppressed(wanted, _MAY_PASS):
                    return function(*args, **kwargs)
                time.sleep(wait)
            return function(*args, **kwargs)

        return call

    return decorate


def _awaited_again(
    function: Callable[P, Awaitable[R]], wanted: frozenset[ErrorClass] | None, waits: Collection[float]
) -> Callable[P, Awaitable[R]]:
    @wraps(function)
    async def call(*args: P.args, **kwargs: P.kwargs) -> R:
        for wait in waits:
            with _suppressed(wanted, _MAY_PASS):
                return await function(*args, **kwargs)
            await anyio.sleep(wait)
        return await function(*args, **kwargs)

    return call


def fallback(
    other: Callable[P, R], classes: Collection[ErrorClass | str] | None = None
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a function, plain or async, to give what `other` gives where its error rules it out here.

    `other` is called with the same arguments and is of the same kind, plain or async. `classes` are those
    that it stands in for; None: every class that means "not this way here", such as GpuOutOfMemory. Raises
    ClassUnknown.
    """
    wanted = _known(classes)

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        if inspect.iscoroutinefunction(function):
            return cast("Callable[P, R]", _awaited_instead(function, cast("Any", other), wanted))

        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            with _suppressed(wanted, _RULED_OUT):
                return function(*args, **kwargs)
            return other(*args, **kwargs)

        return call

    return decorate


def _awaited_instead(
    function: Callable[P, Awaitable[R]],
    other: Callable[P, Awaitable[R]],
    wanted: frozenset[ErrorClass] | None,
) -> Callable[P, Awaitable[R]]:
    @wraps(function)
    async def call(*args: P.args, **kwargs: P.kwargs) -> R:
        with _suppressed(wanted, _RULED_OUT):
            return await function(*args, **kwargs)
        return await other(*args, **kwargs)

    return call


@contextmanager
def _suppressed(wanted: frozenset[ErrorClass] | None, meant: frozenset[RetryPolicy]) -> Iterator[None]:
    """Suppress an error of a `wanted` class; None: of one that is known and means one of `meant`."""
    try:
        yield
    except Exception as error:
        if not _is_of(error, wanted, meant):
            raise


def _is_of(error: Exception, wanted: frozenset[ErrorClass] | None, meant: frozenset[RetryPolicy]) -> bool:
    found = error_class_of(error)
    if wanted is not None:
        return found in wanted
    if isinstance(error, LlmoptError) and error.error_class is None:
        return error.retryable and RetryPolicy.RETRY in meant
    return found is not ErrorClass.UNKNOWN and POLICIES[found] in meant


def _known(classes: Collection[ErrorClass | str] | None) -> frozenset[ErrorClass] | None:
    if classes is None:
        return None
    names = [one.value for one in ErrorClass]
    for given in [classes] if isinstance(classes, str) else classes:
        if given not in names:
            raise ClassUnknown(f"classes: {given!r}: expected error classes: {did_you_mean(given, names)}")
    return frozenset(ErrorClass(one) for one in ([classes] if isinstance(classes, str) else classes))
