"""The page on monitoring: it has what there is, in the words of the programs."""

import re
from collections.abc import Iterator
from pathlib import Path

import yaml
from prometheus_client import CollectorRegistry

from llmopt_core.storage.records import ObjectiveDefinition
from llmopt_operator.metrics import OperatorMetrics
from llmopt_runner.exporter.devices import ProgressView
from llmopt_runner.exporter.limits import Limits
from llmopt_runner.exporter.metrics import Exporter
from llmopt_runner.trial.progress import Progress

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "operations" / "monitoring.md"
RUNBOOKS = ROOT / "docs" / "operations" / "runbooks"
RULES = [
    rule
    for group in yaml.safe_load((ROOT / "helm" / "llmopt" / "alerts" / "llmopt.yaml").read_text())["groups"]
    for rule in group["rules"]
]


def _registries() -> tuple[CollectorRegistry, CollectorRegistry]:
    objectives = (ObjectiveDefinition("accuracy", "maximize"),)
    exporter = Exporter("llamacpp", objectives, ProgressView(Progress()), Limits(40, 3600.0, 7200.0))
    operator = OperatorMetrics()
    operator.watch_health(dict)
    return exporter.registry, operator.registry


def rows() -> Iterator[str]:
    """Yield the row of each metric: its name in queries, its type, what it says."""
    for registry in _registries():
        for family in registry.collect():
            name = family.name + ("_total" if family.type == "counter" else "")
            yield f"| `{name}` | {family.type} | {family.documentation} |"


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_every_metric_has_its_row() -> None:
    """Each metric of runner and operator is in the table, in its own words; no row has no metric."""
    found = [line for line in PAGE.read_text().splitlines() if line.startswith("| `llmopt_")]
    assert found == list(rows())


def test_every_alert_has_its_row_and_its_page() -> None:
    """The table names each alert with its severity and the page that its annotation names, which exists."""
    found = {
        cells[0].strip("`"): (cells[1], re.findall(r"\((.+)\)", cells[3])[0])
        for cells in map(_cells, PAGE.read_text().splitlines())
        if cells[0].startswith("`LLMOpt")
    }
    wanted = {
        rule["alert"]: (
            rule["labels"]["severity"],
            rule["annotations"]["runbook_url"].removeprefix("docs/operations/"),
        )
        for rule in RULES
    }
    assert found == wanted
    assert all((PAGE.parent / page).exists() for _, page in wanted.values())


def test_every_runbook_belongs_to_an_alert() -> None:
    """Each page names the alerts that lead to it, and no page is left that none leads to."""
    pages = {path.name: path.read_text() for path in RUNBOOKS.glob("*.md")}
    led = {Path(rule["annotations"]["runbook_url"]).name for rule in RULES}
    assert set(pages) == led
    for rule in RULES:
        assert f"`{rule['alert']}`" in pages[Path(rule["annotations"]["runbook_url"]).name]
