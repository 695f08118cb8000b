"""Errors of the operating system in words."""

import errno
import os

import pytest

from llmopt_core.errors.classes import ErrorClass, LlmoptError
from llmopt_core.errors.files import file_problem, without_number, words_of
from llmopt_core.errors.unexpected import failure_of


@pytest.mark.parametrize("number", sorted(errno.errorcode))
def test_no_error_of_the_system_is_shown_by_its_number(number: int) -> None:
    """Each is said in words, with the path it is about."""
    words = words_of(OSError(number, os.strerror(number), "/some/path"))
    assert words.startswith("/some/path: ")
    assert "Errno" not in words


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "x"), "correct the path"),
        (IsADirectoryError(errno.EISDIR, "Is a directory", "x"), "name a file in it"),
        (PermissionError(errno.EACCES, "Permission denied", "x"), "change its owner or its mode"),
        (OSError(errno.ENOSPC, "No space left on device", "x"), "free space there"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), "save it as UTF-8"),
    ],
)
def test_the_usual_ones_say_what_to_do(error: OSError | UnicodeError, advice: str) -> None:
    """The path that was given stands before what to do."""
    assert file_problem(error, "x").startswith("x: ")
    assert advice in file_problem(error, "x")


def test_an_error_of_ours_has_its_own_words() -> None:
    """Nothing is added to what says already what to do."""
    assert words_of(LlmoptError("do this")) == "do this"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError(errno.EDQUOT, "Disk quota exceeded"), ErrorClass.DISK_FULL),
        (OSError(errno.EROFS, "Read-only file system"), ErrorClass.ACCESS_DENIED),
        (MemoryError(), ErrorClass.HOST_OUT_OF_MEMORY),
        (ZeroDivisionError("division by zero"), ErrorClass.UNKNOWN),
        (LlmoptError("no class of its own"), ErrorClass.UNKNOWN),
    ],
)
def test_every_exception_is_a_failure_of_one_class(error: Exception, expected: ErrorClass) -> None:
    """What nobody expected is Unknown, with its type; nothing is left without a suggestion or a message."""
    failure = failure_of(error)
    assert failure.error_class is expected
    assert failure.message


class _Away(LlmoptError):
    error_class = ErrorClass.ENDPOINT_UNREACHABLE


_FULL = OSError(errno.ENOSPC, "No space left on device", "/results")


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ([_FULL], ErrorClass.DISK_FULL),
        ([MemoryError()], ErrorClass.HOST_OUT_OF_MEMORY),
        ([KeyError("choices"), _Away("away")], ErrorClass.ENDPOINT_UNREACHABLE),
        ([_Away("away"), ExceptionGroup("inner", [KeyError("choices"), _FULL])], ErrorClass.DISK_FULL),
        ([KeyError("choices"), ValueError("a number")], ErrorClass.UNKNOWN),
    ],
)
def test_a_group_is_the_failure_of_the_error_in_it_that_says_most(
    errors: list[Exception], expected: ErrorClass
) -> None:
    """Tasks that run together raise their errors in groups: the class is that of the error itself."""
    failure = failure_of(ExceptionGroup("unhandled errors in a TaskGroup", errors))
    assert failure.error_class is expected
    assert "TaskGroup" not in failure.message


@pytest.mark.parametrize("number", sorted(errno.errorcode))
def test_a_failure_shows_no_number_of_the_system(number: int) -> None:
    """A trial that failed by such an error says so in words, with the path."""
    failure = failure_of(OSError(number, os.strerror(number), "/some/path"))
    assert "Errno" not in failure.message
    assert "/some/path: " in failure.message


def test_what_the_system_says_is_kept_without_its_number() -> None:
    """Errors of logs are recognised by these words."""
    assert without_number(OSError(errno.ENOSPC, "No space left on device", "x")) == (
        "No space left on device: 'x'"
    )
    assert without_number(OSError("no number")) == "no number"
