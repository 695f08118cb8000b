"""Exit codes of the three programs.

A `match` that ends in `assert_never` gives the meaning of each: mypy reports a code without a case.
"""

from enum import IntEnum
from typing import assert_never


class Exit(IntEnum):
    """Exit codes of `llmopt`."""

    FINISHED = 0
    FAILED = 1
    INVALID = 2
    UNFINISHED = 3
    INTERRUPTED = 130

    @property
    def meaning(self) -> str:
        """What the code says, in one line."""
        match self:
            case Exit.FINISHED:
                return "Finished, with or without a gain."
            case Exit.FAILED:
                return "The study ended without a result, or the command failed."
            case Exit.INVALID:
                return "The input is invalid."
            case Exit.UNFINISHED:
                return "The runners stopped early, or a server did not answer; the same command continues."
            case Exit.INTERRUPTED:
                return "Interrupted by Ctrl-C or SIGTERM; the same command continues."
            case _:
                assert_never(self)


class RunnerExit(IntEnum):
    """Exit codes of `llmopt-runner`: how it ended, for the program that started it."""

    DONE = 0
    USAGE = 2
    STUDY_FAILED = 64
    INVALID = 65
    STORAGE = 69
    INTERRUPTED = 75

    @property
    def meaning(self) -> str:
        """What the code says, in one line."""
        match self:
            case RunnerExit.DONE:
                return "The study has ended, or this runner has nothing left to do."
            case RunnerExit.USAGE:
                return "The command line is wrong."
            case RunnerExit.STUDY_FAILED:
                return "The study failed; its record says why."
            case RunnerExit.INVALID:
                return "The manifest, or what it refers to, cannot be used by any start."
            case RunnerExit.STORAGE:
                return "The database was lost; another start can continue."
            case RunnerExit.INTERRUPTED:
                return "Stopped gracefully by a signal; the trial was given back."
            case _:
                assert_never(self)

    @property
    def retryable(self) -> bool:
        """Whether another start can do what this one did not."""
        match self:
            case RunnerExit.STORAGE | RunnerExit.INTERRUPTED:
                return True
            case RunnerExit.DONE | RunnerExit.USAGE | RunnerExit.STUDY_FAILED | RunnerExit.INVALID:
                return False
            case _:
                assert_never(self)


class OperatorExit(IntEnum):
    """Exit codes of `llmopt-operator`."""

    STOPPED = 0
    LOST = 1
    INVALID = 65

    @property
    def meaning(self) -> str:
        """What the code says, in one line."""
        match self:
            case OperatorExit.STOPPED:
                return "Stopped by a signal."
            case OperatorExit.LOST:
                return "The lease or the connection to the API server was lost; the pod starts it again."
            case OperatorExit.INVALID:
                return "The settings cannot be used."
            case _:
                assert_never(self)
