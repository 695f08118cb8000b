"""The runner program with `--metrics-port`, scraped over HTTP while it measures a real engine."""

import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest
import yaml
from fakes.local_runs import document
from prometheus_client.parser import text_string_to_metric_families

from llmopt_core.api.exit_codes import RunnerExit
from llmopt_core.storage.records import OutcomeKind
from llmopt_core.storage.storages import open_storage

PATIENCE_SECONDS = 240
SERVED = re.compile(r"metrics are served at (http://\S+)")


@contextmanager
def runner(path, *arguments, trials):
    """A runner on a study of `trials` small trials of the real model; it logs to `path`."""
    study = document(trials=trials, max_tokens=8, confirm={"top": 0})
    study["spec"]["workload"] |= {"dataset": {"name": "arithmetic", "samples": 4}, "load": {"concurrency": 2}}
    (path / "manifest.yaml").write_text(yaml.safe_dump(study))
    command = [sys.executable, "-m", "llmopt_runner.main", "--manifest", str(path / "manifest.yaml")]
    command += ["--results", str(path), "--storage", f"sqlite:///{path / 'study.db'}", *arguments]
    with (path / "log").open("w") as log, subprocess.Popen(command, stderr=log) as process:
        try:
            yield process
        finally:
            process.terminate()


def scrape(url):
    """Return every sample by name and labels, or nothing once the runner is gone."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - the runner's own URL
            families = list(text_string_to_metric_families(answer.read().decode()))
    except (urllib.error.URLError, ConnectionError):
        return {}
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def total(samples, name):
    return sum(value for key, value in samples.items() if key[0] == f"llmopt_runner_{name}")


@pytest.fixture(scope="module")
def scraped(tmp_path_factory):
    """Scrape a whole run; return its folder and all that was seen, in order."""
    path = tmp_path_factory.mktemp("study")
    deadline, seen = time.monotonic() + PATIENCE_SECONDS, []
    with runner(path, "--metrics-port", "0", "--metrics-host", "127.0.0.1", trials=3) as process:
        while process.poll() is None:
            assert time.monotonic() < deadline
            if found := SERVED.search((path / "log").read_text()):
                seen.append(scrape(found.group(1)))
            time.sleep(0.02)
    assert process.returncode == RunnerExit.DONE, (path / "log").read_text()
    return path, [samples for samples in seen if samples]


def test_what_is_scraped_grows_to_what_the_study_holds(scraped):
    """Counts never fall, and the last ones are the study's own trials but perhaps the very last."""
    path, seen = scraped
    counts = [total(samples, "trials_total") for samples in seen]
    assert counts == sorted(counts)
    assert counts[0] == 0
    with open_storage(f"sqlite:///{path / 'study.db'}") as storage:
        trials = storage.open_study("small").trials()
    assert counts[-1] >= len(trials) - 1
    measured = sum(trial.outcome.kind is OutcomeKind.MEASURED for trial in trials)
    assert seen[-1]["llmopt_runner_trials_total", ("kind", "measured")] >= measured - 1


def test_the_best_value_is_there_and_never_falls(scraped):
    """The objective that is maximised only gets better."""
    _, seen = scraped
    key = ("llmopt_runner_objective_best", ("metric", "accuracy"))
    best = [samples[key] for samples in seen if key in samples]
    assert best
    assert best == sorted(best)


def test_starts_and_trials_are_timed(scraped):
    """Every engine start and every trial that asked one is in its histogram."""
    _, seen = scraped
    assert total(seen[-1], "engine_start_seconds_count") >= 1
    assert 0 < total(seen[-1], "engine_start_seconds_sum") < PATIENCE_SECONDS
    assert total(seen[-1], "trial_duration_seconds_count") >= 1


def test_the_memory_of_the_engine_is_seen_while_it_is_measured(scraped):
    """A model of 98 MB takes more than that, and less than the host has."""
    _, seen = scraped
    used = max(total(samples, "memory_used_bytes") for samples in seen)
    size = max(total(samples, "memory_total_bytes") for samples in seen)
    assert 98e6 < used < size


def test_a_study_does_not_die_for_a_port_that_is_taken(tmp_path):
    """The runner warns in one line, and ends with the study done."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with runner(tmp_path, "--metrics-port", port, "--metrics-host", "127.0.0.1", trials=1) as process:
            assert process.wait(PATIENCE_SECONDS) == RunnerExit.DONE
    log = (tmp_path / "log").read_text()
    assert log.count(f"metrics are not served: port {port}") == 1


def test_a_port_that_is_none_is_refused(tmp_path):
    """One line names the value and what is expected."""
    with runner(tmp_path, "--metrics-port", "70000", trials=1) as process:
        assert process.wait(PATIENCE_SECONDS) == 2
    assert "70000 is not a port: expected 0 to 65535" in (tmp_path / "log").read_text()
