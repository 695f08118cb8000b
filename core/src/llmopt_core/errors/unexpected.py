"""The failure of any exception: those of the project name their class, the others are recognised by kind."""

import errno

from llmopt_core.errors.classes import ErrorClass, Failure, LlmoptError, RetryPolicy
from llmopt_core.errors.files import file_problem
from llmopt_core.errors.policies import POLICIES

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_DENIED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def failure_of(error: Exception) -> Failure:
    """Return `error` as it is stored and shown: with its own class, or as one that nobody expected.

    Of a group, as tasks that ran together raise it, it is the error that says most: one that ends the study,
    else one whose class is known, else the first.
    """
    if isinstance(error, ExceptionGroup):
        return min(map(failure_of, error.exceptions), key=_rank)
    if isinstance(error, LlmoptError):
        return error.failure
    text = f"{type(error).__name__}: {file_problem(error) if isinstance(error, OSError) else error}"
    if isinstance(error, MemoryError):
        return Failure(ErrorClass.HOST_OUT_OF_MEMORY, text, "Give the runner more memory.")
    if isinstance(error, OSError) and error.errno in _FULL:
        return Failure(
            ErrorClass.DISK_FULL, text, "Free space on that disk; what was measured so far is kept."
        )
    if isinstance(error, OSError) and error.errno in _DENIED:
        return Failure(ErrorClass.ACCESS_DENIED, text, "Give the runner's user the right to that file.")
    return Failure(
        ErrorClass.UNKNOWN,
        text,
        "llmopt or a plug-in did not expect this: report it with the traceback in the runner's log.",
    )


def _rank(failure: Failure) -> int:
    if POLICIES[failure.error_class] is RetryPolicy.FATAL:
        return 0
    return 2 if failure.error_class is ErrorClass.UNKNOWN else 1
