"""A resource in the cluster from Python: submitted, waited for, read, stopped and deleted.

Everything here blocks and needs no event loop, so it works in a notebook as it does in a script; from your
own event loop call it through `anyio.to_thread.run_sync`.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from llmopt.cluster.conditions import is_current, problem_of, status_of
from llmopt.cluster.connections import connected
from llmopt.cluster.databases import StudyOutOfReach, opened_study
from llmopt.cluster.kinds import kind_of
from llmopt.cluster.kubeconfigs import IN_CLUSTER
from llmopt.cluster.references import find, reference
from llmopt.cluster.results import read_result
from llmopt.cluster.trials import Trial, frame, recorded, remembered
from llmopt.cluster.watches import POLL_SECONDS, Clock, Subject, WaitTimeout, Watch
from llmopt.errors import BenchmarkFailed, OptimizationFailed
from llmopt.manifests import OptionInvalid, as_yaml
from llmopt.options import Target
from llmopt.progress import audience_of
from llmopt.study_descriptions import Caller, Description, Manifest, described, require_known
from llmopt_core.api.conditions import Phase
from llmopt_core.api.kinds import Kind
from llmopt_core.errors.classes import LlmoptError
from llmopt_core.resources.status import OptimizationStatus, Status
from llmopt_core.results.endings import end_of
from llmopt_core.results.results import BenchmarkResult, Result

if TYPE_CHECKING:
    from pandas import DataFrame

    from llmopt.cluster.clients import Cluster

__all__ = ["Handle", "NotRunnable", "PartialTrials", "Trial", "WaitTimeout", "get", "submit"]

T = TypeVar("T")
# What an engine may take to stop, and its runner to give its trial back.
_STOP_SECONDS = 120.0


class NotRunnable(LlmoptError):
    """The operator refuses the resource as it is; the message says which field and what to do."""


class PartialTrials(UserWarning):
    """These are not all trials, but the ones that the status holds; the message says why."""


def submit(
    manifest: Manifest | None = None,
    *,
    model: str | None = None,
    namespace: str | None = None,
    context: str | None = None,
    kubeconfig: str | Path | None = None,
    **description: Unpack[Description],
) -> "Handle":
    """Apply a manifest, or what `model` and `description` (as for `llmopt.optimize`) stand for.

    The cluster is found as kubectl finds it. The same call again changes nothing and gives the same handle.

    Raises:
        LlmoptError: InputInvalid and OptionInvalid name what is wrong with the arguments, those of
            `llmopt.cluster.errors` why the cluster does not take it.
    """
    require_known(description, Description.__optional_keys__, submit)
    asked = described(model, manifest, description, Caller("submit"))
    document = asked.document
    asked.checked(as_yaml(document))
    own = document["metadata"].get("namespace")
    if namespace and own and own != namespace:
        raise OptionInvalid(f"namespace {namespace!r}: the manifest says {own!r}; leave one of them out")
    target = Target(namespace or own, context, Path(kubeconfig) if kubeconfig else None)
    kind = kind_of(document)
    assert kind is not None  # noqa: S101 - `checked` takes only our kinds
    with connected(target) as cluster:
        cluster.apply(document, cluster.access.namespace)
        return _handle(cluster, target, kind, document)


def get(
    name: str,
    *,
    namespace: str | None = None,
    context: str | None = None,
    kubeconfig: str | Path | None = None,
) -> "Handle":
    """Return the handle of a resource that is there: `NAME`, or `llmo/NAME` or `llmb/NAME`.

    Raises ResourceNotFound, which names the nearest that there is.
    """
    target = Target(namespace, context, Path(kubeconfig) if kubeconfig else None)
    with connected(target) as cluster:
        kind, document = find(cluster, reference((name,)), cluster.access.namespace)
        return _handle(cluster, target, kind, document)


@dataclass(frozen=True)
class Handle:
    """One resource in a cluster. Every method asks the cluster anew."""

    target: Target
    kind: Kind
    name: str
    namespace: str

    def status(self) -> Status:
        """Return the resource's status as it is now."""
        return self._do(lambda cluster: status_of(self._subject(cluster).look()))

    def result(self) -> Result:
        """Return what was found so far."""
        return self._do(lambda cluster: read_result(self._subject(cluster).look()))

    def wait(self, timeout: float | None = None, *, progress: bool = False) -> Result:
        """Wait until it has ended and return its result; blocks, at most `timeout` seconds.

        `progress` prints lines to standard error. A suspended resource is waited for until it goes on.

        Raises:
            LlmoptError: WaitTimeout, OptimizationFailed or BenchmarkFailed with the result in it, NotRunnable
                when the operator refuses the resource, Gone when it was deleted.
        """

        def work(cluster: "Cluster") -> Result:
            watch = Watch(self._subject(cluster), audience_of(show=progress), timeout_seconds=timeout)
            return _concluded(watch.until_end())

        return self._do(work)

    def trials(self, *, storage: str | None = None, database_at: str | None = None) -> list[Trial]:
        """Return all trials from the study, or with the warning PartialTrials those that the status holds.

        `storage` is the database's URL in place of the one in the namespace's Secret, `database_at` the
        HOST:PORT where it is reached from here, such as the near end of `kubectl port-forward`.
        """

        def work(cluster: "Cluster") -> list[Trial]:
            document = self._subject(cluster).look()
            try:
                with opened_study(cluster, document, storage=storage, at=database_at) as study:
                    return recorded(study.trials())
            except StudyOutOfReach as error:
                return _remembered(document, error)

        return self._do(work)

    def trials_frame(self, *, storage: str | None = None, database_at: str | None = None) -> "DataFrame":
        """Return `trials` as a pandas DataFrame; parameters and metrics are columns of their own."""
        return frame(self.trials(storage=storage, database_at=database_at))

    def suspend(self) -> None:
        """Ask the runners to give their trials back and to end; the study stays, `resume` goes on."""
        self._patch({"spec": {"suspend": True}})

    def resume(self) -> None:
        """Go on where `suspend` or `cancel` stopped."""
        self._patch({"spec": {"suspend": False}})

    def cancel(self, timeout: float = _STOP_SECONDS) -> Result:
        """Suspend it, wait until no trial runs any more, and return what was found until then.

        Nothing is lost: the resource and its study stay, and `resume` goes on. Raises WaitTimeout.
        """
        self.suspend()
        return self._do(lambda cluster: read_result(_stopped(self._subject(cluster), timeout)))

    def delete(self) -> None:
        """Delete the resource and its runners; the study stays unless spec.studyRetention says otherwise."""
        self._do(lambda cluster: cluster.delete(self.kind, self.name, self.namespace))

    def _patch(self, patch: dict[str, Any]) -> None:
        self._do(lambda cluster: cluster.patch(self.kind, self.name, self.namespace, patch))

    def _subject(self, cluster: "Cluster") -> Subject:
        return Subject(cluster, self.kind, self.name, self.namespace)

    def _do(self, work: "Callable[[Cluster], T]") -> T:
        with connected(self.target) as cluster:
            return work(cluster)


def _handle(cluster: "Cluster", target: Target, kind: Kind, document: dict[str, Any]) -> Handle:
    """Return a handle that stays with this cluster, whatever the current context will be."""
    access = cluster.access
    context = None if access.context == IN_CLUSTER else access.context
    return Handle(replace(target, context=context), kind, document["metadata"]["name"], access.namespace)


def _concluded(document: dict[str, Any]) -> Result:
    """Return the result of a resource that will not go on by itself; raise why there is none."""
    end = end_of(status_of(document))
    if end is None:
        raise NotRunnable(f"{document['metadata']['name']} cannot run: {problem_of(status_of(document))}")
    result = read_result(document)
    if not end.failed:
        return result
    message = f"the study failed ({end.reason}): {end.message}"
    if isinstance(result, BenchmarkResult):
        raise BenchmarkFailed(message, result)
    raise OptimizationFailed(message, result)


def _stopped(subject: Subject, timeout: float, clock: Clock | None = None) -> dict[str, Any]:
    """Return the resource once no trial of it runs; raises WaitTimeout."""
    clock = clock or Clock()
    began = clock.now()
    while clock.now() - began < timeout:
        document = subject.look()
        status = status_of(document)
        idle = (
            is_current(document, status) and status.phase is Phase.SUSPENDED and not status.progress.running
        )
        if idle or end_of(status) is not None:
            return document
        clock.sleep(POLL_SECONDS)
    raise WaitTimeout(f"trials of {subject.name} still run after {timeout:g} s; they are being stopped")


def _remembered(document: dict[str, Any], why: StudyOutOfReach) -> list[Trial]:
    status = status_of(document)
    trials = remembered(document, status) if isinstance(status, OptimizationStatus) else []
    missing = f"of {status.progress.finished} trials, those {len(trials)} that the status holds: {why}"
    warnings.warn(missing, PartialTrials, stacklevel=5)
    return trials
