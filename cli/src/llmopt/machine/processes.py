"""The processes of llmopt on this machine: sessions, runners and engines that live, and what they left.

The environment of a process says what it is: a runner that `llmopt run` started carries Variable.SESSION,
every process of an engine Variable.ENGINE_MARK. Whether its owner lives is visible at the pipe that is its
standard input: the owner holds the writing end, and no writer is left when it is gone, for whatever reason.
"""

import os
import select
import stat
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from llmopt_core.api.environment import Variable

_SUPERVISOR = "llmopt_runner/engines/supervisor.py"
_LONGEST_COMMAND = 100
_START_FIELD = 19  # of /proc/PID/stat, counted after the name


@dataclass(frozen=True)
class Found:
    """One process. `session`, `mark`: "" where it has none; `born`: when, as ids are used again."""

    pid: int
    born: int
    arguments: tuple[str, ...]
    session: str
    mark: str

    @property
    def command(self) -> str:
        """The command line, cut."""
        line = " ".join(self.arguments)
        return line if len(line) <= _LONGEST_COMMAND else f"{line[: _LONGEST_COMMAND - 1]}…"

    def document(self) -> dict[str, str | int | None]:
        """Return it as JSON has it."""
        return {"pid": self.pid, "command": self.command, "session": self.session or None}

    @property
    def is_runner(self) -> bool:
        """Whether it runs trials; what a runner itself starts carries its session too."""
        return bool(self.session) and not self.mark and "--manifest" in self.arguments

    @property
    def is_supervisor(self) -> bool:
        """Whether it stands between a runner and an engine."""
        return bool(self.mark) and any(argument.endswith(_SUPERVISOR) for argument in self.arguments[:5])


@dataclass(frozen=True)
class Ours:
    """Runners of sessions, and processes of engines, whose owner lives or is gone."""

    runners: tuple[Found, ...]
    engines: tuple[Found, ...]
    orphaned_runners: tuple[Found, ...]
    orphaned_engines: tuple[Found, ...]

    @property
    def orphans(self) -> tuple[Found, ...]:
        """Everything that nobody owns; engines first, for a runner may own one."""
        return (*self.orphaned_engines, *self.orphaned_runners)


def ours() -> Ours:
    """Look at all processes of this machine that can be read."""
    found = tuple(_all())
    runners = [one for one in found if one.session and not one.mark]
    groups: dict[str, list[Found]] = defaultdict(list)
    for one in found:
        if one.mark:
            groups[one.mark].append(one)
    lost_runners = {one.pid for one in runners if abandoned(one.pid)}
    lost_engines = {one.pid for group in groups.values() if _lost(group) for one in group}
    engines = [one for one in found if one.mark]
    return Ours(
        runners=tuple(one for one in runners if one.pid not in lost_runners),
        engines=tuple(one for one in engines if one.pid not in lost_engines),
        orphaned_runners=tuple(one for one in runners if one.pid in lost_runners),
        orphaned_engines=tuple(one for one in engines if one.pid in lost_engines),
    )


def abandoned(pid: int) -> bool:
    """Say whether the standard input of `pid` is a pipe that nobody can write to any more.

    A pipe shows that by itself, so it does not matter who held the other end, or whether we may see them.
    """
    try:
        descriptor = os.open(f"/proc/{pid}/fd/0", os.O_RDONLY | os.O_NONBLOCK)
    except OSError:  # it is gone, or not ours to judge
        return False
    try:
        if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            return False
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return any(event & select.POLLHUP for _, event in poll.poll(0))
    finally:
        os.close(descriptor)


def look_again(process: Found) -> bool:
    """Say whether the process is still there, and the same."""
    return _born(process.pid) == process.born


def _lost(group: Sequence[Found]) -> bool:
    """An engine whose supervisor lives is that one's to end, unless its runner is gone and it does not."""
    supervisors = [one for one in group if one.is_supervisor]
    return all(abandoned(one.pid) for one in supervisors)


def _all() -> Iterator[Found]:
    own = os.getpid()
    for pid in sorted(int(entry.name) for entry in os.scandir("/proc") if entry.name.isdigit()):
        if pid != own and (found := _look(pid)) is not None:
            yield found


def _look(pid: int) -> Found | None:
    """Return the process if it carries one of the variables; a zombie's environment is empty."""
    born = _born(pid)
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
        session, mark = (_value(environment, name) for name in (Variable.SESSION, Variable.ENGINE_MARK))
        if born is None or not (session or mark):
            return None
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").rstrip("\0")
    except OSError:  # gone, or another user's
        return None
    return Found(pid, born, tuple(arguments.split("\0")), session, mark)


def _value(environment: bytes, name: str) -> str:
    prefix = f"{name}=".encode()
    values = (entry for entry in environment.split(b"\0") if entry.startswith(prefix))
    return next(values, b"").removeprefix(prefix).decode(errors="replace")


def _born(pid: int) -> int | None:
    try:
        # The name in parentheses may itself hold anything, parentheses too.
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None
    return int(fields[_START_FIELD])
