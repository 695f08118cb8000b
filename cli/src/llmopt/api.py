"""llmopt from Python: the same study, folder and result as the command's.

`optimize` and `benchmark` may be called from anywhere, a running event loop (a notebook) included: each works
in a thread with an event loop of its own.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypedDict, Unpack
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
from anyio.from_thread import start_blocking_portal

from llmopt.errors import BenchmarkFailed, OptimizationFailed
from llmopt.function_evaluators import LOOPBACK, Evaluate, EvaluatorFailed, EvaluatorServer, scores_sets
from llmopt.keyword_checks import check_run, timeout_seconds
from llmopt.local.fleets import RUNNER_COMMAND, preflight_of
from llmopt.local.folders import ResultsFolder
from llmopt.local.runs import Finding, RunSettings, find
from llmopt.local.sessions import Pace, Stop
from llmopt.local.studies import LocalStudy
from llmopt.machine.descriptions import described as machine_described
from llmopt.manifest_checks import cautions_in
from llmopt.manifests import OptionInvalid, as_yaml, evaluator_part
from llmopt.progress import audience_of
from llmopt.study_descriptions import (
    SOURCE,
    Caller,
    Described,
    Description,
    Manifest,
    described,
    require_known,
)
from llmopt_core.resources.loading import KINDS, load_manifest
from llmopt_core.results.results import BenchmarkResult, OptimizationResult

__all__ = [
    "Arguments",
    "BenchmarkArguments",
    "BenchmarkFailed",
    "BenchmarkResult",
    "EvaluatorFailed",
    "OptimizationFailed",
    "OptimizationResult",
    "benchmark",
    "benchmark_async",
    "optimize",
    "optimize_async",
]


class RunArguments(TypedDict, total=False):
    """How a study is run, whatever its kind.

    `evaluator` is a function (item, answer) -> score from 0 to 1, plain or async, whose mean is the metric
    `score`; or (items, answers, parameters) -> one score for each item, called once for all answers of a
    trial. `results` is the folder of results, `storage` a database URL in place of SQLite in it. `fresh`
    starts over, `runners` is how many work side by side, `progress` prints lines to standard error, `debug`
    makes runner logs verbose. `runner_command` and `pace` are for tests and for runners that live elsewhere.
    """

    evaluator: Evaluate | None
    results: str | Path
    storage: str | None
    fresh: bool
    runners: int | None
    progress: bool
    debug: bool
    runner_command: tuple[str, ...]
    pace: Pace


class Arguments(Description, RunArguments, total=False):
    """What `optimize` and `optimize_async` take beside the model.

    `manifest` is a mapping, YAML text or a Path, and stands for all that describes the study. `timeout` in
    seconds also stops the runners gracefully; what was measured until then is returned. `progress` also says
    which engine was chosen.
    """

    manifest: Manifest | None


class BenchmarkArguments(RunArguments, total=False):
    """What `benchmark` and `benchmark_async` take beside the manifest.

    `timeout` in seconds stops the runners gracefully; what was measured until then is returned.
    """

    timeout: float | None


AnyArguments = Arguments | BenchmarkArguments
# Where an evaluator could be served: a manifest is checked before its own is.
_ANY_URL = f"http://{LOOPBACK}/score"


def optimize(model: str | None = None, **arguments: Unpack[Arguments]) -> OptimizationResult:
    """Find the best way to serve `model`; blocks until the study has ended. See `Arguments`.

    Called again with the same arguments it continues where it stopped. Ctrl-C stops the runners gracefully.

    Raises:
        LlmoptError: InputInvalid and OptionInvalid name what is wrong with the arguments, ManifestChanged
            which of them differ from the study that is there, EvaluatorFailed what the evaluator raised,
            OptimizationFailed why there is no result.
    """
    with start_blocking_portal() as portal:
        return portal.call(partial(optimize_async, model, **arguments))


async def optimize_async(model: str | None = None, **arguments: Unpack[Arguments]) -> OptimizationResult:
    """Do what `optimize` does without blocking the event loop; cancelling stops the runners gracefully."""
    require_known(arguments, Arguments.__optional_keys__, optimize)
    check_run(arguments)
    manifest = arguments.get("manifest")
    asked = await anyio.to_thread.run_sync(
        partial(described, model, manifest, arguments, _caller("optimize", arguments))
    )
    _check_kind(asked.document, "LLMOptimization", "llmopt.benchmark()")
    return _optimized(await _evaluated(asked, arguments))


def benchmark(manifest: Manifest, **arguments: Unpack[BenchmarkArguments]) -> BenchmarkResult:
    """Compare the candidates of `manifest` (a mapping, YAML text or a Path); blocks until they are measured.

    Called again with the same manifest it continues where it stopped. Ctrl-C stops the runners gracefully.

    Raises:
        LlmoptError: InputInvalid and OptionInvalid name what is wrong with the manifest, ManifestChanged
            what of it differs from the study that is there, ReferenceInvalid a result of an optimization
            that is not there, EvaluatorFailed what the evaluator raised, BenchmarkFailed why there is none.
    """
    with start_blocking_portal() as portal:
        return portal.call(partial(benchmark_async, manifest, **arguments))


async def benchmark_async(manifest: Manifest, **arguments: Unpack[BenchmarkArguments]) -> BenchmarkResult:
    """Do what `benchmark` does without blocking the event loop; cancelling stops the runners gracefully."""
    require_known(arguments, BenchmarkArguments.__optional_keys__, benchmark)
    check_run(arguments)
    asked = described(None, manifest, {}, _caller("benchmark", arguments))
    _check_kind(asked.document, "LLMBenchmark", "llmopt.optimize()")
    return _compared(await _evaluated(asked, arguments))


def _caller(name: str, arguments: AnyArguments) -> Caller:
    return Caller(
        name,
        describe=machine_described,
        say=audience_of(show=arguments.get("progress", False)).event,
        items=_results(arguments) / "datasets",
        own_evaluator=arguments.get("evaluator") is not None,
    )


def _results(arguments: AnyArguments) -> Path:
    return Path(arguments.get("results", "results"))


def _check_kind(document: Mapping[str, Any], kind: str, other: str) -> None:
    given = document.get("kind")
    if isinstance(given, str) and given in KINDS and given != kind:
        raise OptionInvalid(f"manifest: kind is {given}, expected {kind}; {other} takes the other kind")


async def _evaluated(asked: Described, arguments: AnyArguments) -> Finding:
    """Run the study that is `asked` for, with the caller's own function as its evaluator if there is one."""
    stop = Stop()
    evaluate = arguments.get("evaluator")
    if evaluate is None:
        return await _found(asked, arguments, stop)
    server = EvaluatorServer(evaluate, stop.requested.set)
    async with server.serving(_port_before(asked, arguments)) as url:
        document = _with_evaluator(asked.document, url, whole_set=scores_sets(evaluate))
        finding = await _found(replace(asked, document=document), arguments, stop)
    if server.failure is not None:
        raise server.failure
    return finding


def _with_evaluator(document: Mapping[str, Any], url: str, *, whole_set: bool = False) -> dict[str, Any]:
    """Return `document` with the caller's evaluator; as it is where its check finds no place for one."""
    spec = document.get("spec")
    workload = spec.get("workload", {}) if isinstance(spec, Mapping) else None
    if not isinstance(spec, Mapping) or not isinstance(workload, Mapping):
        return dict(document)
    evaluator = evaluator_part(url, whole_set=whole_set)
    return {**document, "spec": {**spec, "workload": {**workload, "evaluator": evaluator}}}


def _port_before(asked: Described, arguments: AnyArguments) -> int:
    """Return the port that the study knows its evaluator by (its manifest is part of it); 0: a new study."""
    local = _local(replace(asked, document=_with_evaluator(asked.document, _ANY_URL)), arguments)
    if arguments.get("fresh") or not local.exists:
        return 0
    evaluator = load_manifest(local.folder.manifest).spec.workload.evaluator
    url = urlsplit(evaluator.endpoint.url if evaluator and evaluator.endpoint else "")
    return url.port or 0 if url.hostname == LOOPBACK and local.has_result else 0


def _local(asked: Described, arguments: AnyArguments) -> LocalStudy:
    """Return the study that is `asked` for; what is wrong with it is raised before its folder is named."""
    text = as_yaml(asked.document)
    resource = asked.checked(text)
    folder = ResultsFolder(_results(arguments) / resource.metadata.name)
    return LocalStudy(resource, text, folder, arguments.get("storage"))


async def _found(asked: Described, arguments: AnyArguments, stop: Stop) -> Finding:
    local = _local(asked, arguments)
    if arguments.get("fresh") or not local.exists:
        command = preflight_of(arguments.get("runner_command", RUNNER_COMMAND))
        look = partial(asked.require_usable, local.resource, local.manifest_text, command)
        await anyio.to_thread.run_sync(look)
    for line in cautions_in(local.manifest_text, SOURCE, local.resource):
        audience_of(show=arguments.get("progress", False)).event(line)
    work = _Work(partial(_work, local, arguments, stop))
    try:
        return await anyio.to_thread.run_sync(work, abandon_on_cancel=True)
    except anyio.get_cancelled_exc_class():
        stop.requested.set()
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(work.wait)
        raise


class _Work:
    """A call in another thread whose end can be waited for after its awaiter was cancelled."""

    def __init__(self, call: Callable[[], Finding]) -> None:
        self._call = call
        self._begun = threading.Event()
        self._ended = threading.Event()

    def __call__(self) -> Finding:
        self._begun.set()
        try:
            return self._call()
        finally:
            self._ended.set()

    def wait(self) -> None:
        """Wait for the end of a call that has begun."""
        if self._begun.is_set():
            self._ended.wait()


def _work(local: LocalStudy, arguments: AnyArguments, stop: Stop) -> Finding:
    if arguments.get("fresh"):
        local.start_over()
    command = arguments.get("runner_command", RUNNER_COMMAND)
    settings = RunSettings(
        arguments.get("runners"),
        (*command, "--debug") if arguments.get("debug") else command,
        arguments.get("pace", Pace()),
    )
    audience = audience_of(show=arguments.get("progress", False))
    with _stopped_after(timeout_seconds(arguments.get("timeout")), stop):
        return find(local, settings, stop, audience)


@contextmanager
def _stopped_after(seconds: float | None, stop: Stop) -> Iterator[None]:
    """Ask for the stop when the context has lasted `seconds`."""
    if seconds is None:
        yield
        return
    timer = threading.Timer(seconds, stop.requested.set)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _optimized(finding: Finding) -> OptimizationResult:
    result = finding.result
    assert isinstance(result, OptimizationResult)  # noqa: S101 - its kind was checked
    if result.failed:
        raise OptimizationFailed(f"the study failed ({result.ended}): {result.message}", result)
    if result.trial is None:
        raise OptimizationFailed(_trouble(finding), result)
    return result


def _compared(finding: Finding) -> BenchmarkResult:
    result = finding.result
    assert isinstance(result, BenchmarkResult)  # noqa: S101 - its kind was checked
    if result.failed:
        raise BenchmarkFailed(f"the benchmark failed ({result.ended}): {result.message}", result)
    if not result.repeats:
        raise BenchmarkFailed(_trouble(finding), result)
    return result


def _trouble(finding: Finding) -> str:
    trouble = finding.session.trouble if finding.session else ""
    return trouble or "stopped before anything was measured"
