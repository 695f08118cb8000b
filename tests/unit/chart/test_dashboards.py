"""Grafana's dashboards as files: complete, well placed, and of series that the programs have."""

import copy
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard as GrafanasDashboard
from prometheus_client.registry import Collector

from llmopt_core.storage.records import ObjectiveDefinition
from llmopt_operator.metrics import OperatorMetrics
from llmopt_runner.exporter.devices import ProgressView
from llmopt_runner.exporter.limits import Limits
from llmopt_runner.exporter.metrics import Exporter
from llmopt_runner.trial.progress import Progress

ROOT = Path(__file__).parents[3]
PATHS = sorted((ROOT / "helm" / "llmopt" / "dashboards").glob("*.json"))
DASHBOARDS = {path.stem: json.loads(path.read_text()) for path in PATHS}
ALERTS = (ROOT / "helm" / "llmopt" / "alerts" / "llmopt.yaml").read_text()
_SUFFIXES = re.compile(r"_(bucket|sum|count)$")
_BUILT_IN = {"datasource", "__range", "__rate_interval"}
Dashboard = Mapping[str, Any]


@pytest.fixture(params=DASHBOARDS)
def dashboard(request: pytest.FixtureRequest) -> Dashboard:
    """Each of the dashboards."""
    return DASHBOARDS[request.param]


def _series(registry: Collector) -> set[str]:
    return {family.name + ("_total" if family.type == "counter" else "") for family in registry.collect()}


def _known() -> set[str]:
    objectives = (ObjectiveDefinition("accuracy", "maximize"),)
    exporter = Exporter("llamacpp", objectives, ProgressView(Progress()), Limits(40, 3600.0, 7200.0))
    operator = OperatorMetrics()
    operator.watch_health(dict)
    return _series(exporter.registry) | _series(operator.registry)


def test_the_files_are_what_the_program_writes() -> None:
    """Nobody edited a dashboard by hand, and none is left over."""
    command = (sys.executable, ROOT / "scripts" / "grafana", "--check")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_there_are_four_with_names_of_their_own() -> None:
    """Each file has the uid of its dashboard, which Grafana knows it by."""
    assert set(DASHBOARDS) == {"llmopt-studies", "llmopt-study", "llmopt-runners", "llmopt-operator"}
    assert all(each["uid"] == name for name, each in DASHBOARDS.items())


def _unknown(ours: Any, theirs: Any, path: str = "") -> Iterator[str]:
    """Yield where `theirs` lost or changed something of `ours`."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name, value in ours.items():
            yield from _unknown(value, theirs.get(name), f"{path}.{name}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for place, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from _unknown(one, other, f"{path}[{place}]")
    elif ours != theirs:
        yield path


def test_grafanas_own_types_know_every_field(dashboard: Dashboard) -> None:
    """Read by Grafana's library and written again, nothing of a dashboard is lost or changed."""
    register_default_plugins()
    read = GrafanasDashboard.from_json(copy.deepcopy(dict(dashboard)))
    assert list(_unknown(dashboard, json.loads(JSONEncoder().encode(read)))) == []


def test_a_field_that_grafana_does_not_know_is_found(dashboard: Dashboard) -> None:
    """A misspelt field of a panel is reported by its path."""
    register_default_plugins()
    wrong = copy.deepcopy(dict(dashboard))
    wrong["panels"][0]["grid_pos"] = wrong["panels"][0]["gridPos"]
    read = GrafanasDashboard.from_json(copy.deepcopy(wrong))
    assert list(_unknown(wrong, json.loads(JSONEncoder().encode(read)))) == [".panels[0].grid_pos"]


def test_panels_are_explained_and_have_a_unit(dashboard: Dashboard) -> None:
    """Each panel has a title, a sentence and a unit, and an id of its own."""
    panels = dashboard["panels"]
    assert all(panel["title"] and panel["description"].endswith(".") for panel in panels)
    assert all(panel["fieldConfig"]["defaults"]["unit"] for panel in panels)
    assert len({panel["id"] for panel in panels}) == len(panels)


def test_panels_do_not_overlap(dashboard: Dashboard) -> None:
    """Each cell of the grid's 24 columns belongs to one panel at most."""
    taken = [
        (column, row)
        for place in (panel["gridPos"] for panel in dashboard["panels"])
        for column in range(place["x"], place["x"] + place["w"])
        for row in range(place["y"], place["y"] + place["h"])
    ]
    assert len(taken) == len(set(taken))
    assert max(column for column, _ in taken) < 24


def test_repeated_panels_have_a_row_of_their_own(dashboard: Dashboard) -> None:
    """Grafana lays them side by side: what stood beside them would be covered."""
    assert all(panel["gridPos"]["w"] == 24 for panel in dashboard["panels"] if "repeat" in panel)


def test_every_variable_is_defined(dashboard: Dashboard) -> None:
    """What an expression, a title or another variable refers to, the dashboard asks for."""
    defined = {each["name"] for each in dashboard["templating"]["list"]}
    text = json.dumps([dashboard["panels"], dashboard["templating"]])
    used = {name for pair in re.findall(r"\$(\w+)|\$\{(\w+)\}", text) for name in pair if name}
    assert used - {"__all"} <= defined | _BUILT_IN


def test_every_series_exists() -> None:
    """Dashboards and alerts use metrics that runner or operator have, and every metric is shown by one."""
    text = "".join(path.read_text() for path in PATHS)
    known = _known()
    used = {
        _SUFFIXES.sub("", name) for name in re.findall(r"\bllmopt_(?:runner|operator)_\w+", text + ALERTS)
    }
    assert used <= known
    assert known - used == set()
