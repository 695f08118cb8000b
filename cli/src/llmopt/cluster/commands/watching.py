"""`llmopt watch`: a study in the cluster, followed as if it ran here, to its result."""

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from llmopt.cluster.commands.speaking import say
from llmopt.cluster.conditions import End, end_of, problem_of, status_of
from llmopt.cluster.finding import find, reference
from llmopt.cluster.results import print_outcome
from llmopt.cluster.watching import Gone, Subject, Watch
from llmopt.progress import shown
from llmopt.terminal import Console
from llmopt_core.api.exit_codes import Exit

if TYPE_CHECKING:
    from llmopt.cluster.clients import Cluster


def watch(cluster: "Cluster", words: Sequence[str], *, progress: bool = True) -> Exit:
    """Follow the resource that `words` name until it has ended; return how it ended."""
    console, namespace = Console(), cluster.access.namespace
    kind, document = find(cluster, reference(words), namespace)
    live = console.is_terminal and progress
    subject = Subject(cluster, kind, document["metadata"]["name"], namespace)
    try:
        with _interrupted_by_signals(), shown(console, subject.name, live=live) as audience:
            document = Watch(subject, audience).until_end()
    except Gone as error:
        say(console, f"{error}")
        return Exit.FAILED
    except KeyboardInterrupt:
        say(
            console, f"It goes on in the cluster. Look again with: llmopt watch {subject.name} -n {namespace}"
        )
        return Exit.INTERRUPTED
    print_outcome(console, cluster, document)
    return _conclude(console, document)


def _conclude(console: Console, document: dict[str, object]) -> Exit:
    """Say how it ended, as `llmopt run` does, and return the exit code for that."""
    status = status_of(document)
    end = end_of(status)
    if end is None:
        say(console, f"It cannot run as it is. {problem_of(status)}")
        return Exit.INVALID
    say(console, _ending(end))
    return Exit.FAILED if end.failed else Exit.FINISHED


def _ending(end: End) -> str:
    if end.failed:
        return f"The study failed ({end.reason}): {end.message}"
    return f"The study is finished ({end.reason}): {end.message}"


@contextmanager
def _interrupted_by_signals() -> Iterator[None]:
    """Let SIGTERM end the watching as Ctrl-C does, and either also where a shell's `&` has Ctrl-C ignored."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, signal.default_int_handler) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
