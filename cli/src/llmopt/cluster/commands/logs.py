"""`llmopt logs`: what the runners of a resource print."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from llmopt.cluster.commands.exits import say
from llmopt.cluster.conditions import problem_of, status_of
from llmopt.cluster.errors import ClusterUnreachable
from llmopt.cluster.references import find, reference
from llmopt.cluster.runners import Printer, RunnerPod, chosen, runner_pods
from llmopt.option_labels import labelled
from llmopt.terminal import Console
from llmopt_core.api.exit_codes import Exit
from llmopt_core.errors.classes import LlmoptError
from llmopt_core.results.endings import end_of

if TYPE_CHECKING:
    from llmopt.cluster.clients import Cluster


class NoLogs(LlmoptError):
    """There is no pod whose log could be shown; the message says why."""


def show_logs(
    cluster: "Cluster", words: Sequence[str], *, index: int | None, follow: bool, previous: bool
) -> Exit:
    """Print the logs of the runners of the resource that `words` name."""
    console, namespace = Console(), cluster.access.namespace
    kind, document = find(cluster, reference(words), namespace)
    known = runner_pods(cluster, kind, document["metadata"]["name"], namespace)
    pods = chosen(known, index, previous=previous)
    if not pods:
        raise NoLogs(_why_none(document, known, index, previous=previous))
    printer = Printer(cluster, lambda line: say(console, line))
    if not follow:
        printer.show(pods)
        return Exit.FINISHED
    return _follow(printer, pods)


def _follow(printer: Printer, pods: Sequence[RunnerPod]) -> Exit:
    try:
        failures = printer.follow(pods)
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    for failure in failures:
        say(Console(stderr=True), f"error: {failure}")
    if any(isinstance(failure, ClusterUnreachable) for failure in failures):
        return Exit.UNFINISHED
    return Exit.FAILED if failures else Exit.FINISHED


def _why_none(
    document: dict[str, Any], known: Sequence[RunnerPod], index: int | None, *, previous: bool
) -> str:
    name, status = document["metadata"]["name"], status_of(document)
    if known and previous:
        return f"no runner of {name} was started more than once: leave --previous out"
    if known:
        indexes = ", ".join(str(number) for number in sorted({pod.index for pod in known}))
        return f"{labelled('--index', index)}: {name} has runners {indexes}"
    if end := end_of(status):
        return f"{name} has ended ({end.reason}) and its runners' pods are gone, and their logs with them"
    return f"{name} has no runner yet. {problem_of(status) or 'It is about to start.'}"
