"""`llmopt watch`: a study in the cluster, followed as if it ran here, to its result."""

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from llmopt.cluster.commands.exits import say
from llmopt.cluster.conditions import problem_of
from llmopt.cluster.references import find, reference
from llmopt.cluster.results import read_result
from llmopt.cluster.watches import Gone, Subject, Watch
from llmopt.progress import shown
from llmopt.results import show_result
from llmopt.terminal import Console
from llmopt_core.api.exit_codes import Exit
from llmopt_core.results.results import Result
from llmopt_core.results.wording import outcome_text

if TYPE_CHECKING:
    from llmopt.cluster.clients import Cluster


def watch(cluster: "Cluster", words: Sequence[str], *, progress: bool = True, as_json: bool = False) -> Exit:
    """Follow the resource that `words` name until it has ended; return how it ended."""
    console, namespace = Console(stderr=as_json), cluster.access.namespace
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
            console,
            f"It continues in the cluster. Watch it again: llmopt watch {subject.name} -n {namespace}",
        )
        return Exit.INTERRUPTED
    result = read_result(document)
    show_result(console, result, as_json=as_json)
    return _conclude(console, result)


def _conclude(console: Console, result: Result) -> Exit:
    """Say how it ended, as `llmopt run` does, and return the exit code for that."""
    if result.ended is None:
        say(console, f"It cannot run as it is. {problem_of(result.status)}")
        return Exit.INVALID
    say(console, outcome_text(result.status))
    return Exit.FAILED if result.failed else Exit.FINISHED


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
