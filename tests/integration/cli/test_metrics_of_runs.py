"""`llmopt run --metrics-port` with real runners on the real model."""

import re
import socket
import subprocess
import sys
import urllib.request
from contextlib import suppress

import yaml
from fakes.local_runs import document
from fakes.looks import looked_for

PATIENCE_SECONDS = 60
URL = re.compile(r"metrics of runner (\d): (http://127\.0\.0\.1:\d+/metrics)")


def command(tmp_path, *arguments):
    manifest = tmp_path / "manifest.yaml"
    study = document(trials=4, max_tokens=8, confirm={"top": 0})
    study["spec"]["workload"] |= {"dataset": {"name": "arithmetic", "samples": 4}, "load": {"concurrency": 2}}
    manifest.write_text(yaml.safe_dump(study))
    program = [sys.executable, "-u", "-m", "llmopt.main", "run", str(manifest), "--results", str(tmp_path)]
    return subprocess.Popen([*program, *arguments], stdout=subprocess.PIPE, text=True)


def scraped(url, process):
    """Return the first answer at `url`, while `process` runs."""

    def look():
        assert process.poll() is None, "nothing was served before the end"
        with suppress(OSError), urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - the runner's
            return answer.read().decode()

    return looked_for(look, PATIENCE_SECONDS)


def test_each_of_several_runners_serves_where_the_output_says(tmp_path):
    """Two runners, two addresses, each of which answers while they work; the study ends well."""
    with command(tmp_path, "--metrics-port", "0", "--runners", "2") as process:
        assert process.stdout.readline().startswith("plan: ")
        urls = dict(URL.fullmatch(process.stdout.readline().strip()).groups() for _ in range(2))
        assert sorted(urls) == ["0", "1"]
        assert len(set(urls.values())) == 2
        for url in urls.values():
            assert 'llmopt_runner_build_info{engine="llamacpp"' in scraped(url, process)
        process.stdout.read()
    assert process.returncode == 0


def test_a_taken_port_is_said_first_and_the_study_runs(tmp_path):
    """One warning, and a result all the same."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with command(tmp_path, "--metrics-port", port) as process:
            output = process.stdout.read()
    plan, warning, *_ = output.splitlines()
    assert plan.startswith("plan: ")
    assert warning.startswith(f"warning: port {port} is taken")
    assert process.returncode == 0
