"""Optuna Dashboard as `llmopt dashboard` starts it, on a study that real runs wrote."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from fakes.local_runs import manifest, run_options

from llmopt.commands.run import run_text
from llmopt.local.folders import ResultsFolder
from llmopt_core.api.exit_codes import Exit

TIMEOUT_SECONDS = 120


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A folder of results with one finished study."""
    folder = tmp_path_factory.mktemp("results")
    assert run_text(manifest(), "m.yaml", run_options(folder)) == Exit.FINISHED
    return folder


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1]


def answer(url, process):
    """Return the JSON at `url` once it is served."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=60) as response:  # noqa: S310 - our own server
                return json.load(response)
        except OSError:  # not served yet, or slowly on a busy machine
            time.sleep(0.1)
    raise AssertionError(f"nothing is served at {url}: {process.communicate(timeout=5)}")


@pytest.mark.parametrize(("place", "end"), [("folder", signal.SIGINT), ("database", signal.SIGTERM)])
def test_a_study_is_served_until_ctrl_c(results, tmp_path, place, end):
    """The dashboard's own API has the study and its trials; the database's URL is in no argument list."""
    url = ResultsFolder(results / "small").storage_url()
    arguments = ["small", "--results", str(results)] if place == "folder" else []
    environment = os.environ | ({} if place == "folder" else {"LLMOPT_STORAGE_URL": url})
    port = free_port()
    command = [sys.executable, "-m", "llmopt.main", "dashboard", *arguments, "--port", str(port)]
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        (study,) = answer(f"http://127.0.0.1:{port}/api/studies", process)["study_summaries"]
        assert study["study_name"] == "small"
        assert answer(f"http://127.0.0.1:{port}/api/studies/{study['study_id']}", process)["trials"]
        assert "study.db" not in Path(f"/proc/{process.pid}/cmdline").read_text()
        process.send_signal(end)
        output, _ = process.communicate(timeout=TIMEOUT_SECONDS)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == Exit.FINISHED
    assert f"http://127.0.0.1:{port}" in output
