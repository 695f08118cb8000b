"""The runner program: one manifest, one storage, one index; the same in a pod and on a laptop."""

import argparse
import logging
import os
import socket
import sys
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from llmopt_core.api.environment import Variable
from llmopt_core.api.exit_codes import RunnerExit
from llmopt_core.api.objects import RUNNER
from llmopt_core.errors.classes import LlmoptError
from llmopt_core.errors.unexpected import failure_of
from llmopt_core.errors.visible import VisibleFormatter
from llmopt_core.resources import Resource
from llmopt_core.resources.benchmark import BenchmarkSpec
from llmopt_core.resources.loading import load_manifest
from llmopt_core.resources.optimization import OptimizationSpec
from llmopt_core.sampling.methods import open_for_search
from llmopt_core.sampling.opening import own_study
from llmopt_core.storage.errors import StudyNotFound
from llmopt_core.storage.studies import Study
from llmopt_runner.host.machine_kind import machine_kind
from llmopt_runner.loop.assembly import search_runner, shared
from llmopt_runner.loop.budgets import Ending
from llmopt_runner.loop.candidates import CandidateRunners, key_owner
from llmopt_runner.loop.comparison import ComparisonLoop
from llmopt_runner.loop.earlier_studies import learn_from_others
from llmopt_runner.loop.heartbeat import Heartbeat
from llmopt_runner.loop.lifecycle import Loop, TrialEnd
from llmopt_runner.loop.search import SearchLoop
from llmopt_runner.secrets import own_secrets
from llmopt_runner.stopping import Interrupted, StopSignal
from llmopt_runner.trial.progress import Progress

log = logging.getLogger(__name__)

_LAST_PORT = 65535


def main(arguments: Sequence[str] | None = None) -> RunnerExit:
    """Run trials until the study ends; return how that came."""
    secrets = own_secrets()
    options = _options(arguments, secrets)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(VisibleFormatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.DEBUG if options.debug else logging.INFO, handlers=[handler])
    stopping = StopSignal()
    stopping.install()
    if options.end_with_stdin:
        threading.Thread(target=_end_with_stdin, args=(stopping,), daemon=True).start()
    try:
        return _run(options, stopping, secrets)
    except Interrupted as interruption:
        log.info("ended gracefully: %s", interruption)
        stopping.exit_at_once(RunnerExit.INTERRUPTED)
        return RunnerExit.INTERRUPTED
    except LlmoptError as error:
        log.error("%s: %s", type(error).__name__, error)  # noqa: TRY400 - the message says it all
        return RunnerExit.STORAGE if error.retryable else RunnerExit.INVALID


def _end_with_stdin(stopping: StopSignal) -> None:
    """Ask for the stop once the process that started this runner is gone, for whatever reason."""
    os.read(sys.stdin.fileno(), 1)
    stopping.set()


def _options(arguments: Sequence[str] | None, secrets: Mapping[str, str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=RUNNER, description=__doc__)
    parser.add_argument("--manifest", type=Path, required=True, help="a manifest as YAML")
    parser.add_argument(
        "--storage",
        default=secrets.get(Variable.STORAGE_URL),
        help=f"database URL (default: the environment's {Variable.STORAGE_URL})",
    )
    parser.add_argument("--results", type=Path, required=True, help="folder for engine logs")
    parser.add_argument("--index", type=int, default=int(os.environ.get("JOB_COMPLETION_INDEX", "0")))
    parser.add_argument(
        "--end-with-stdin", action="store_true", help="stop gracefully when standard input ends"
    )
    parser.add_argument(
        "--metrics-port", type=_port, help="serve Prometheus metrics here; 0: any free port, which is logged"
    )
    parser.add_argument(
        "--metrics-host",
        default="0.0.0.0",  # noqa: S104 - in a pod the scrape comes from elsewhere
        help="address of the metrics (default: all interfaces)",
    )
    parser.add_argument("--debug", action="store_true")
    options = parser.parse_args(arguments)
    if not options.storage:
        parser.error(f"--storage, or {Variable.STORAGE_URL} in the environment, must name the database")
    return options


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= _LAST_PORT:
        raise argparse.ArgumentTypeError(f"{text} is not a port: expected 0 to {_LAST_PORT}")
    return number


def _run(options: argparse.Namespace, stopping: StopSignal, secrets: Mapping[str, str]) -> RunnerExit:
    resource = load_manifest(options.manifest)
    with open_for_search(options.storage) as storage:
        study = own_study(storage, resource)
        machine = machine_kind()
        learn_from_others(study, resource, options.storage, options.results, machine)
        progress = Progress()
        name = f"{socket.gethostname()}-{options.index}-{uuid.uuid4().hex[:8]}"
        with (
            Heartbeat(study, name, options.index, progress, machine) as heartbeat,
            _metrics(options, study, progress, resource) as trial_ended,
        ):
            work = Work(study, name, options.results, stopping, progress, trial_ended, secrets)
            ending = work.run(resource.spec)
            heartbeat.ending = ending.reason
    if ending.failed:
        log.error("the study failed: %s: %s", ending.reason, ending.message)
    return RunnerExit.STUDY_FAILED if ending.failed else RunnerExit.DONE


@contextmanager
def _metrics(
    options: argparse.Namespace, study: Study, progress: Progress, resource: Resource
) -> Iterator[TrialEnd]:
    """Serve metrics where they are asked for, and yield the function that takes each ended trial."""
    if options.metrics_port is None:
        yield lambda _kind, _outcome: None
        return
    # Slow, and seldom wanted.
    from llmopt_runner.exporter.devices import ProgressView  # noqa: PLC0415
    from llmopt_runner.exporter.limits import limits_of  # noqa: PLC0415
    from llmopt_runner.exporter.serving import exporting  # noqa: PLC0415

    view, limits = ProgressView(progress), limits_of(resource)
    with exporting(study, view, limits, host=options.metrics_host, port=options.metrics_port) as trial_ended:
        yield trial_ended


@dataclass(frozen=True)
class Work:
    """What a runner does for one study, from its first trial to its end."""

    study: Study
    name: str
    results: Path
    stopping: StopSignal
    progress: Progress
    trial_ended: TrialEnd
    secrets: Mapping[str, str] = field(repr=False)

    def run(self, spec: OptimizationSpec | BenchmarkSpec) -> Ending:
        """Run trials to the end of the study; what no trial can fix ends it before the first.

        A study that has ended stays so: only the program that starts runners opens it again, for a
        runner that begins late cannot distinguish what was fixed from what just ended.
        """
        if (ended := self.study.ended) is not None:
            return Ending.recorded(ended)
        try:
            loop = self._loop(spec)
        except (LlmoptError, OSError) as error:
            return self._ended_by(error)
        with closing(loop):
            try:
                return loop.run()
            except LlmoptError as error:  # such as a sampler that cannot work here
                return self._ended_by(error)

    def _ended_by(self, error: LlmoptError | OSError) -> Ending:
        """End the study with the class of `error`, which no other trial can avoid.

        Raises `error` where the study stays open: the runner was asked to stop, the storage is away or full,
        or the study is gone. Another start can continue then, or nobody has to.
        """
        if isinstance(error, StudyNotFound) or (isinstance(error, LlmoptError) and error.retryable):
            raise error
        ending = Ending.of(failure_of(error))
        self.study.end(ending.reason, ending.message, failed=True)
        return ending

    def _loop(self, spec: OptimizationSpec | BenchmarkSpec) -> Loop:
        common = shared(spec, self.study, self.results, self.stopping, self.progress, self.secrets)
        if isinstance(spec, OptimizationSpec):
            return SearchLoop(spec, self.study, search_runner(spec, common), self.name, self.trial_ended)
        comparison = self.study.comparison
        assert comparison is not None  # noqa: S101 - the study is this benchmark's
        runners = CandidateRunners(comparison.candidates, common, key_owner(spec, comparison.candidates))
        return ComparisonLoop(spec, self.study, comparison, runners, self.name, self.trial_ended)


if __name__ == "__main__":
    sys.exit(main())
