"""A resource looked at again and again until it has ended, whatever becomes of the API server meanwhile.

It is asked for once a second instead of being watched by a stream: a stream that a suspended laptop or a
proxy has cut looks like a study in which nothing happens, and a small answer a second costs next to nothing.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from llmopt.cluster.conditions import Problem, is_current, problem_of, status_of, warning_of
from llmopt.cluster.errors import INSTALL, ClusterUnreachable, ResourceNotFound
from llmopt.cluster.results import shown_status
from llmopt.local.sessions import Audience
from llmopt_core.api.kinds import Kind
from llmopt_core.api.reasons import Reason
from llmopt_core.errors.classes import LlmoptError
from llmopt_core.resources.status import Status
from llmopt_core.results.endings import end_of

POLL_SECONDS = 1.0
# An operator that lives has looked at a new resource by then.
_PATIENCE_SECONDS = 20.0
_LONGEST_PAUSE_SECONDS = 10.0


class Gone(LlmoptError):
    """The resource was deleted while it was watched."""


class WaitTimeout(LlmoptError, TimeoutError):
    """It has not ended in the time that was given."""

    retryable = True


class Source(Protocol):
    """What of a cluster is needed to look at a resource."""

    def get(self, kind: Kind, name: str, namespace: str) -> dict[str, Any]:
        """Return the resource."""
        ...


@dataclass(frozen=True)
class Clock:
    """Time as it passes; tests bring their own."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class Subject:
    """The resource that is looked at, and where it is asked for."""

    cluster: Source
    kind: Kind
    name: str
    namespace: str

    def look(self) -> dict[str, Any]:
        """Return the resource as it is now."""
        return self.cluster.get(self.kind, self.name, self.namespace)


@dataclass
class Watch:
    """Looks at `subject` until it ends, and reports to `audience` what a person wants to know."""

    subject: Subject
    audience: Audience
    clock: Clock = field(default_factory=Clock)
    timeout_seconds: float | None = None
    _shown: dict[str, str] = field(default_factory=dict)

    def until_end(self) -> dict[str, Any]:
        """Return the resource once it has ended or cannot run as it is; blocks.

        Raises Gone, WaitTimeout, and what the first look raises.
        """
        began = self.clock.now()
        for document in self._looks(began):
            status = status_of(document)
            if not is_current(document, status):
                self._say("problem", self._unattended(self.clock.now() - began))
                continue
            self._report(document, status)
            problem = problem_of(status)
            if end_of(status) is not None or (problem is not None and problem.hopeless):
                return document
        raise WaitTimeout(
            f"{self.subject.name} did not end within {self.timeout_seconds:g} s; it continues in the cluster"
        )

    def _looks(self, began: float) -> Iterator[dict[str, Any]]:
        """Yield the resource, once a second, until the time is up."""
        document = self.subject.look()  # what is wrong with the very first question is the caller's to hear
        uid = document["metadata"].get("uid")
        while True:
            yield document
            if self._is_over(began):
                return
            self.clock.sleep(POLL_SECONDS)
            document = self._again(began, uid) or document

    def _again(self, began: float, uid: str | None) -> dict[str, Any] | None:
        """Return the resource as soon as the API server answers, None when the time is up before."""
        pause = POLL_SECONDS
        while True:
            try:
                document = self.subject.look()
            except ClusterUnreachable as error:
                self._say("server", f"{error}; trying again")
            except ResourceNotFound as error:
                raise Gone(f"{self.subject.name} was deleted while it was watched") from error
            else:
                self._say_server_is_back()
                if document["metadata"].get("uid") != uid:
                    raise Gone(f"{self.subject.name} was deleted, and another made in its place")
                return document
            if self._is_over(began):
                return None
            self.clock.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def _is_over(self, began: float) -> bool:
        return self.timeout_seconds is not None and self.clock.now() - began >= self.timeout_seconds

    def _report(self, document: Mapping[str, Any], status: Status) -> None:
        self.audience.progress(shown_status(document))
        self._say("problem", str(problem_of(status) or ""))
        self._say("warning", warning_of(status) or "")

    def _unattended(self, waited: float) -> str:
        if waited < _PATIENCE_SECONDS:
            return ""
        return str(
            Problem(
                Reason.NO_OPERATOR,
                f"no operator has looked at {self.subject.name} as it is now",
                "see whether one runs and watches this namespace (kubectl get pods --all-namespaces "
                f"--selector app.kubernetes.io/name=llmopt), or install its chart: {INSTALL}",
            )
        )

    def _say(self, about: str, text: str) -> None:
        """Say `text` unless it was the last thing said about it."""
        if text and self._shown.get(about) != text:
            self.audience.event(text)
        self._shown[about] = text

    def _say_server_is_back(self) -> None:
        if self._shown.get("server"):
            self.audience.event("the API server answers again")
        self._shown["server"] = ""
