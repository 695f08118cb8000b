"""The alerts of the chart: tested by promtool, taken by Prometheus Operator, each with a page that works."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from cluster.control_plane import ControlPlane
from cluster.programs import source
from fakes.charts import VARIANTS, rendered
from fakes.prometheus import ALERTS
from typer.main import get_command

from llmopt.main import app

ROOT = Path(__file__).parents[3]
PAGES = sorted((ROOT / "docs" / "operations" / "runbooks").glob("*.md"))
NAMES = [rule["alert"] for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
_DEFINITION = "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml"


def _tested(folder: Path, rules: str) -> subprocess.CompletedProcess[str]:
    shutil.copy(Path(__file__).with_name("alerts.test.yaml"), folder)
    (folder / "llmopt.yaml").write_text(rules)
    command = ("promtool", "test", "rules", "alerts.test.yaml")
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_alerts_fire_when_they_should_and_only_then(promtool: str, tmp_path: Path) -> None:
    """Each alert fires for what its page describes, with its texts, and not for what is normal."""
    done = _tested(tmp_path, ALERTS.read_text())
    assert done.returncode == 0, done.stderr + done.stdout


@pytest.mark.parametrize("name", NAMES)
def test_an_alert_that_never_fires_is_noticed(promtool: str, tmp_path: Path, name: str) -> None:
    """Where one alert never fires, the tests of the alerts fail: none is without a test."""
    document = yaml.safe_load(ALERTS.read_text())
    for group in document["groups"]:
        for rule in group["rules"]:
            if rule["alert"] == name:
                rule["expr"] = "vector(0) > 1"
    assert _tested(tmp_path, yaml.safe_dump(document)).returncode != 0


def test_the_charts_rule_is_taken_as_it_is(helm: Path, plane: ControlPlane) -> None:
    """Prometheus Operator's own definition knows each field; what is disabled is left out."""
    plane.apply(source("prometheus-operator") / _DEFINITION)
    plane.kubectl("create", "namespace", "llmopt-alerts")
    rule = rendered(helm, VARIANTS["everything"]).of("PrometheusRule")
    rule["metadata"]["namespace"] = "llmopt-alerts"
    plane.kubectl("create", "--validate=strict", "-f", "-", input=yaml.safe_dump(rule))
    rules = [each for group in rule["spec"]["groups"] for each in group["rules"]]
    assert {each["alert"] for each in rules} == set(NAMES) - {"LLMOptBudgetNearlySpent"}
    prefix = VARIANTS["everything"]["metrics"]["prometheusRule"]["runbooks"]
    for each in rules:
        page = each["annotations"]["runbook_url"].removeprefix(prefix)
        assert (ROOT / page).exists(), page


def test_the_charts_rule_is_what_was_tested(helm: Path, promtool: str, tmp_path: Path) -> None:
    """The rule that the chart renders without a prefix passes the tests of the file."""
    values = {"metrics": {"prometheusRule": {"enabled": True}}}
    rule = rendered(helm, values).of("PrometheusRule")
    done = _tested(tmp_path, yaml.safe_dump(rule["spec"]))
    assert done.returncode == 0, done.stderr + done.stdout


def _commands(program: str) -> Iterator[tuple[str, str]]:
    """Yield page and arguments of each command in a page that calls `program`."""
    for page in PAGES:
        for block in re.findall(r"```console\n(.*?)```", page.read_text(), re.DOTALL):
            for line in block.splitlines():
                assert re.match(r"\$ (kubectl|llmopt) ", line), f"{page.name}: {line}"
                if line.startswith(f"$ {program} "):
                    yield page.name, line.removeprefix(f"$ {program} ")


def _options(arguments: str) -> set[str]:
    return set(re.findall(r"(?<= )--[a-z-]+", f" {arguments}"))


def test_the_pages_commands_of_llmopt_exist() -> None:
    """Each command that a runbook names is one of the program, with the options that it has."""
    commands = getattr(get_command(app), "commands")  # noqa: B009 - only a group has them
    for page, arguments in _commands("llmopt"):
        name, _, rest = arguments.partition(" ")
        assert name in commands, f"{page}: llmopt {name}"
        known = {option for each in commands[name].params for option in each.opts}
        assert _options(rest) <= known, f"{page}: llmopt {arguments}"


def test_the_pages_commands_of_kubectl_exist(plane: ControlPlane) -> None:
    """Each verb is one of kubectl's, with the options that it has, and names a resource that is served."""
    served = set(plane.kubectl("api-resources", "--no-headers").split())
    for page, arguments in _commands("kubectl"):
        words = arguments.split()
        verb = words[:2] if words[0] in {"rollout", "top"} else words[:1]
        offered = plane.kubectl(*verb, "--help") + plane.kubectl("options")
        assert _options(arguments) <= set(re.findall(r"--[a-z-]+", offered)), f"{page}: {arguments}"
        kind = words[1] if words[0] == "top" else words[len(verb)].split("/")[0]
        singular = {"deployment", "statefulset", "secret", "pod", "lease", "llmoptimization", "llmopt"}
        assert kind in served | singular, f"{page}: {kind}"
