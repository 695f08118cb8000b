"""What the command says to the shell that called it."""

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of `llmopt`."""

    FINISHED = 0  # with or without a gain
    FAILED = 1  # the study ended without a result
    INVALID = 2  # the input cannot be used as it stands
    UNFINISHED = 3  # the runners stopped early; the same command goes on
    INTERRUPTED = 130  # by Ctrl-C or SIGTERM; the same command goes on
