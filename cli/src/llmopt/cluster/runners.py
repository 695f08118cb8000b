"""The runner pods of a resource: which there are, and what they print."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from llmopt.cluster.errors import Refused
from llmopt.cluster.watches import POLL_SECONDS, Clock
from llmopt_core.api.kinds import Kind
from llmopt_core.api.objects import RUNNER_CONTAINER, Label
from llmopt_core.errors.classes import LlmoptError


class PodSource(Protocol):
    """What of a cluster is needed to read logs."""

    def pods(self, namespace: str, labels: Mapping[str, str]) -> list[dict[str, Any]]:
        """Return the pods that carry `labels`."""
        ...

    def pod(self, name: str, namespace: str) -> dict[str, Any]:
        """Return one pod."""
        ...

    def log(self, pod: str, namespace: str, *, container: str, follow: bool) -> Iterator[str]:
        """Return the lines of a container's log."""
        ...


@dataclass(frozen=True)
class RunnerPod:
    """One pod of a runner; `made` distinguishes the attempts of one index.

    Of a pod that is not `placed` on a node the API server gives an empty log, not an error.
    """

    name: str
    namespace: str
    index: int
    made: str
    placed: bool = True


def runner_pods(source: PodSource, kind: Kind, name: str, namespace: str) -> list[RunnerPod]:
    """Return all pods that were started for a resource, by index and age."""
    labels: dict[str, str] = {Label.KIND: kind.singular, Label.RESOURCE: name}
    found = (_runner_pod(body) for body in source.pods(namespace, labels))
    return sorted(found, key=lambda pod: (pod.index, pod.made, pod.name))


def chosen(pods: Sequence[RunnerPod], index: int | None, *, previous: bool) -> list[RunnerPod]:
    """Return of each index, or of `index` alone, the last pod, or with `previous` the one before it.

    A runner's container is never restarted: a new attempt is a new pod.
    """
    attempts: dict[int, list[RunnerPod]] = {}
    for pod in pods:
        if index in {None, pod.index}:
            attempts.setdefault(pod.index, []).append(pod)
    place = -2 if previous else -1
    return [each[place] for each in attempts.values() if len(each) >= -place]


class Printer:
    """Prints the logs of pods, each line whole, with its pod's name in front where there are several."""

    def __init__(self, source: PodSource, say: Callable[[str], None], clock: Clock | None = None) -> None:
        self._source = source
        self._say = say
        self._clock = clock or Clock()
        self._saying = threading.Lock()

    def show(self, pods: Sequence[RunnerPod]) -> None:
        """Print what `pods` have printed, one after the other; raises Refused where one never started."""
        for pod, prefix in _prefixed(pods):
            self._print(_placed(pod), prefix, follow=False)

    def follow(self, pods: Sequence[RunnerPod]) -> tuple[LlmoptError, ...]:
        """Print what `pods` print until all have ended, waiting for those that are to start; blocks.

        Returns what kept one from being followed to its end.
        """
        failures: list[LlmoptError] = []

        def work(pod: RunnerPod, prefix: str) -> None:
            try:
                self._wait_and_print(pod, prefix)
            except LlmoptError as error:
                failures.append(error)

        # Ctrl-C must not wait for a pod that goes on for hours.
        threads = [threading.Thread(target=work, args=each, daemon=True) for each in _prefixed(pods)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return tuple(failures)

    def _wait_and_print(self, pod: RunnerPod, prefix: str) -> None:
        shown = ""
        while True:
            try:
                current = pod if pod.placed else _runner_pod(self._source.pod(pod.name, pod.namespace))
                self._print(_placed(current), prefix, follow=True)
            except Refused as error:  # a container that has not started yet has no log
                if str(error) != shown:
                    shown = str(error)
                    self._line(f"{prefix}({shown})")
            else:
                return
            self._clock.sleep(POLL_SECONDS)

    def _print(self, pod: RunnerPod, prefix: str, *, follow: bool) -> None:
        for line in self._source.log(pod.name, pod.namespace, container=RUNNER_CONTAINER, follow=follow):
            self._line(f"{prefix}{line}")

    def _line(self, text: str) -> None:
        with self._saying:
            self._say(text)


def _placed(pod: RunnerPod) -> RunnerPod:
    if not pod.placed:
        raise Refused(f"pod {pod.name} has no node yet, and so no log")
    return pod


def _prefixed(pods: Sequence[RunnerPod]) -> list[tuple[RunnerPod, str]]:
    width = max((len(pod.name) for pod in pods), default=0)
    return [(pod, f"{pod.name:{width}}  " if len(pods) > 1 else "") for pod in pods]


def _runner_pod(body: Mapping[str, Any]) -> RunnerPod:
    metadata = body["metadata"]
    return RunnerPod(
        name=metadata["name"],
        namespace=metadata["namespace"],
        index=int((metadata.get("labels") or {}).get(Label.INDEX, 0)),
        made=str(metadata.get("creationTimestamp", "")),
        placed=bool((body.get("spec") or {}).get("nodeName")),
    )
