"""Why an engine that was ready serves no more: by its end and its log."""

import errno
import threading
from types import SimpleNamespace

import pytest

from llmopt_core.errors.classes import ErrorClass
from llmopt_runner.engines.diagnosis import DeathWatch, death, diagnosis
from llmopt_runner.engines.vllm.engine import Vllm

OUT_OF_MEMORY = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.27 GiB."
DEAD = "(APIServer pid=1) ERROR 01-01 00:00:00 [a.py:1] EngineDeadError: EngineCore encountered an issue."
# More looks than the patience of a watch lasts.
_MANY = 60


class Server:
    """Ends, if at all, when it is looked at for the `ends_at`th time; `later` is logged with that look."""

    is_local = True
    engine = Vllm()

    def __init__(self, *, before="", since="", later="", ends_at=None):
        self._before, self._since, self._later, self._ends_at = before, since, later, ends_at
        self._looks = 0
        self.looks_at_size = 0
        self.looked_often, self.killed = threading.Event(), threading.Event()

    def wait_for_end(self, _seconds):
        self._looks += 1
        return not self.alive()

    def alive(self):
        return self._ends_at is None or self._looks < self._ends_at

    @property
    def exit_code(self):
        return None if self.alive() else 1

    exit_signal = None

    def log_bytes(self):
        self.looks_at_size += 1
        if self.looks_at_size > _MANY:
            self.looked_often.set()
        return len(self.log_text())

    def kill(self):
        self.killed.set()

    def log_since_ready(self):
        return self._since + (self._later if self._looks > 1 else "")

    def log_text(self):
        return self._before + self.log_since_ready()


@pytest.mark.parametrize(
    ("server", "error_class"),
    [
        (Server(since=OUT_OF_MEMORY, ends_at=1), ErrorClass.GPU_OUT_OF_MEMORY),
        (Server(later=OUT_OF_MEMORY, ends_at=3), ErrorClass.GPU_OUT_OF_MEMORY),
        (Server(later=OUT_OF_MEMORY), ErrorClass.GPU_OUT_OF_MEMORY),
        (Server(before=OUT_OF_MEMORY, ends_at=2), ErrorClass.GPU_OUT_OF_MEMORY),
        (Server(since="POST /v1/chat/completions 500", ends_at=1), ErrorClass.ENGINE_CRASHED),
        (Server(since=DEAD), ErrorClass.ENGINE_CRASHED),
        (Server(before="ValueError: not taken", ends_at=1), ErrorClass.ENGINE_CRASHED),
        (Server(since="ValueError: not enough values to unpack", ends_at=1), ErrorClass.ENGINE_CRASHED),
    ],
    ids=[
        "ended",
        "ends late",
        "lives on",
        "logged early",
        "without a word",
        "its core is dead",
        "a warning",
        "a fault",
    ],
)
def test_the_log_says_why_once_it_is_written(server, error_class):
    """The first process to fail answers with errors; the cause is logged with the end, or after it began."""
    assert diagnosis(server, {}, patience_seconds=0.1).error_class is error_class


@pytest.mark.parametrize(
    "server", [Server(since="POST /v1/chat/completions 500"), Server(before=OUT_OF_MEMORY)]
)
def test_an_engine_that_lives_and_says_nothing_is_not_blamed(server):
    """What it logged before it was ready did not keep it from serving."""
    assert diagnosis(server, {}, patience_seconds=0.0) is None
    assert death(server, {}) is None


def test_a_server_that_is_not_ours_has_no_log():
    """Of an endpoint only its answers are known."""
    assert diagnosis(SimpleNamespace(is_local=False), {}) is None


def test_the_wait_can_be_ended():
    """A runner that is asked to stop does not wait for an engine's last words."""

    def check():
        raise InterruptedError

    with pytest.raises(InterruptedError):
        diagnosis(Server(), {}, check=check)


@pytest.mark.parametrize("server", [Server(since=DEAD), Server(ends_at=0)])
def test_a_dead_engine_is_known_at_once(server):
    """It ended, or its server says that what computes has died."""
    assert death(server, {}).error_class is ErrorClass.ENGINE_CRASHED


def test_an_engine_that_gave_up_and_is_silent_is_killed():
    """Its open requests end then, with what it logged as the cause."""
    server = Server(since=DEAD)
    with DeathWatch(server, {}, patience_seconds=0.02, look_seconds=0.01) as watch:
        assert server.killed.wait(30)
    assert watch.failure.error_class is ErrorClass.ENGINE_CRASHED


class Unreadable(Server):
    """Its log cannot be looked at the first three times."""

    def log_bytes(self):
        self.faults = getattr(self, "faults", 0) + 1
        if self.faults <= 3:
            raise OSError(errno.EMFILE, "Too many open files")
        return super().log_bytes()


def test_a_log_that_cannot_be_read_for_a_while_is_read_later(caplog):
    """The watch goes on, and says once why it saw nothing."""
    server = Unreadable(since=DEAD)
    with DeathWatch(server, {}, patience_seconds=0.02, look_seconds=0.01):
        assert server.killed.wait(30)
    assert caplog.text.count("a look at the engine's log failed, it is tried again") == 1


class Talkative(Server):
    """Logs something whenever it is looked at."""

    def log_bytes(self):
        return super().log_bytes() + self.looks_at_size


@pytest.mark.parametrize("server", [Talkative(since=DEAD), Server(since=OUT_OF_MEMORY)], ids=["busy", "calm"])
def test_an_engine_that_may_still_answer_is_not_killed(server):
    """It goes on to log answers, or has logged an error that one request may have had."""
    with DeathWatch(server, {}, patience_seconds=0.02, look_seconds=0.001) as watch:
        assert server.looked_often.wait(30)
    assert (watch.failure, server.killed.is_set()) == (None, False)
