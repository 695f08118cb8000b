"""Own functions, tried again or replaced, by the class of their error."""

import errno

import anyio
import pytest

import llmopt
from llmopt.retries import ClassUnknown, error_class_of
from llmopt_core.errors.classes import ErrorClass, LlmoptError
from llmopt_core.storage.errors import StorageUnavailable

CUDA = RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 8.00 GiB")


class Flaky:
    """Raises the errors in turn, then returns what it was called with; counts its calls."""

    def __init__(self, *errors):
        self.errors = list(errors)
        self.calls = 0

    def __call__(self, value):
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return value


class Passing(LlmoptError):
    retryable = True


@pytest.mark.parametrize(
    ("error", "known"),
    [
        (CUDA, ErrorClass.GPU_OUT_OF_MEMORY),
        (MemoryError(), ErrorClass.HOST_OUT_OF_MEMORY),
        (OSError(errno.ENOSPC, "full"), ErrorClass.DISK_FULL),
        (StorageUnavailable("gone"), ErrorClass.STORAGE_UNAVAILABLE),
        (ValueError("nobody knows"), ErrorClass.UNKNOWN),
    ],
)
def test_an_error_is_known_by_its_class_its_kind_or_its_text(error, known):
    """Errors of libraries are recognised as those of engines are."""
    assert error_class_of(error) is known


def test_what_may_pass_is_tried_again():
    """Errors that may pass are followed by another call, up to the number of attempts."""
    flaky = Flaky(StorageUnavailable("gone"), Passing("soon"))
    assert llmopt.retrying(wait_seconds=0)(flaky)(7) == 7
    assert flaky.calls == 3


def test_the_last_error_is_raised_as_it_came():
    """After the last attempt the caller sees the error itself."""
    errors = [StorageUnavailable(str(n)) for n in range(3)]
    flaky = Flaky(*errors)
    with pytest.raises(StorageUnavailable) as caught:
        llmopt.retrying(attempts=2, wait_seconds=0)(flaky)(7)
    assert caught.value is errors[1]
    assert flaky.calls == 2


@pytest.mark.parametrize("error", [ValueError("nobody knows"), CUDA, LlmoptError("for good")])
def test_what_will_not_pass_is_raised_at_once(error):
    """Unknown errors, those of a configuration, and those that are not retryable are not tried again."""
    flaky = Flaky(error)
    with pytest.raises(type(error)):
        llmopt.retrying(wait_seconds=0)(flaky)(7)
    assert flaky.calls == 1


def test_only_the_named_classes_are_tried_again():
    """Names are the classes of the error history; others are raised."""
    again = llmopt.retrying(["GpuOutOfMemory"], wait_seconds=0)
    flaky = Flaky(CUDA)
    assert again(flaky)(7) == 7
    with pytest.raises(StorageUnavailable):
        again(Flaky(StorageUnavailable("gone")))(7)


def test_waits_grow_and_end():
    """Each wait is twice the one before, and the first attempt does not wait."""
    waited = []
    flaky = Flaky(*(StorageUnavailable("gone") for _ in range(3)))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("llmopt.retries.time.sleep", waited.append)
        llmopt.retrying(attempts=4, wait_seconds=25)(flaky)(7)
    assert waited == [25, 50, 60]


def test_what_cannot_work_here_has_a_fallback():
    """The other function is called with the same arguments; other errors are raised."""
    assert llmopt.fallback(lambda value: -value)(Flaky(CUDA))(7) == -7
    assert llmopt.fallback(lambda value: -value)(Flaky())(7) == 7
    with pytest.raises(ValueError, match="nobody"):
        llmopt.fallback(lambda value: -value)(Flaky(ValueError("nobody knows")))(7)


def test_async_functions_are_decorated_too():
    """They stay coroutine functions, with the same decisions."""
    flaky, other = Flaky(StorageUnavailable("gone"), CUDA), Flaky()

    async def on_cpu(value):
        return -other(value)

    @llmopt.fallback(on_cpu)
    @llmopt.retrying(wait_seconds=0)
    async def ask(value):
        return flaky(value)

    assert anyio.run(ask, 7) == -7
    assert (flaky.calls, other.calls) == (2, 1)


def test_a_decorated_function_keeps_its_name():
    """Names and documentation are those of the function."""

    @llmopt.retrying()
    def ask():
        """Ask."""

    assert (ask.__name__, ask.__doc__) == ("ask", "Ask.")


def test_an_unknown_class_is_refused_with_the_nearest_name():
    """A misspelt class is an error when the function is decorated."""
    with pytest.raises(ClassUnknown, match=r"'GpuOutOfMemry'.*did you mean GpuOutOfMemory\?"):
        llmopt.retrying(["GpuOutOfMemry"])
