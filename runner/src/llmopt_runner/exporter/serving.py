"""The page that Prometheus scrapes, while a runner works on its study."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prometheus_client import start_http_server

from llmopt_core.analysis.comparison import compare_candidates
from llmopt_core.analysis.summary import summarise
from llmopt_core.storage.errors import StorageUnavailable
from llmopt_core.storage.records import Outcome, OutcomeKind, StudyDefinition
from llmopt_core.storage.studies import Study
from llmopt_runner.exporter.devices import RunnerView
from llmopt_runner.exporter.limits import Limits
from llmopt_runner.exporter.metrics import Exporter

log = logging.getLogger(__name__)


@contextmanager
def exporting(
    study: Study, view: RunnerView, limits: Limits, *, host: str, port: int
) -> Iterator[Callable[[OutcomeKind, Outcome], None]]:
    """Serve the metrics of a runner of `study`, and yield the function that takes each ended trial.

    The study is read here and at each trial's end, never for a scrape.
    """
    exporter = Exporter(_engines(study.definition), study.definition.objectives, view, limits)

    def trial_ended(kind: OutcomeKind, outcome: Outcome) -> None:
        exporter.trial_ended(kind, outcome)
        _read(study, exporter)

    _read(study, exporter)
    with served(exporter, host, port):
        yield trial_ended


def _engines(definition: StudyDefinition) -> str:
    """Return what is measured: an optimization's engine, or those of all candidates."""
    servings = [definition.serving, *(candidate.serving for candidate in definition.candidates)]
    return ",".join(dict.fromkeys(each.engine_name for each in servings if each is not None))


def _read(study: Study, exporter: Exporter) -> None:
    try:
        exporter.study.spent(study.runners())
        if study.definition.comparison is None:
            exporter.study.search_seen(summarise(study))
        else:
            exporter.study.comparison_seen(summarise(study), compare_candidates(study))
    except StorageUnavailable as error:
        log.warning("metrics of the study stay as they were: %s", error)


@contextmanager
def served(exporter: Exporter, host: str, port: int) -> Iterator[int | None]:
    """Serve the metrics while the context lasts, and yield the port; `port` 0 takes any that is free.

    A port that is not available is a warning, and None: metrics are about the study, and no reason to end it.
    """
    try:
        server, thread = start_http_server(port, host, exporter.registry)
    except OSError as error:
        log.warning(
            "metrics are not served: port %d of %s is not available (%s); the study continues; give"
            " --metrics-port another one to see them", port, host, error.strerror,
        )  # fmt: skip
        yield None
        return
    log.info("metrics are served at http://%s:%d/metrics", host, server.server_port)
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
