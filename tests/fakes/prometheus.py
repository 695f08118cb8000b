"""A real Prometheus that scrapes real programs, and the expressions of the chart's dashboards and alerts."""

import json
import math
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from cluster.processes import Process
from fakes.charts import CHART

from llmopt_runner.engines.ports import free_port

DASHBOARDS = sorted((CHART / "dashboards").glob("*.json"))
ALERTS = CHART / "alerts" / "llmopt.yaml"
_VARIABLE = re.compile(r"\$(\w+)")


@dataclass(frozen=True)
class Expression:
    """One expression as a person meets it: in which dashboard's panel, or as which alert."""

    place: str
    kind: str
    text: str

    def filled(self, variables: Mapping[str, str]) -> str:
        """Return the expression with each $variable replaced."""
        return _VARIABLE.sub(lambda found: variables[found[1]], self.text)


def of_dashboards() -> list[Expression]:
    """Return the expressions of all panels."""
    return [
        Expression(f"{path.stem}: {panel['title']}", panel["type"], target["expr"])
        for path in DASHBOARDS
        for panel in json.loads(path.read_text())["panels"]
        for target in panel["targets"]
    ]


def of_alerts() -> list[Expression]:
    """Return the expressions of all alerts."""
    groups = yaml.safe_load(ALERTS.read_text())["groups"]
    return [Expression(rule["alert"], "alert", rule["expr"]) for group in groups for rule in group["rules"]]


class Prometheus:
    """A Prometheus server that scrapes, every second, the targets that it was last given."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._targets: dict[str, dict[str, Any]] = {}
        self._port = free_port("127.0.0.1")
        self._write_targets()
        discovery = {"files": [str(folder / "targets.json")], "refresh_interval": "1s"}
        scrapes = [{"job_name": "llmopt", "file_sd_configs": [discovery]}]
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(ALERTS)],
            "scrape_configs": scrapes,
        }
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        command = [
            "prometheus", f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'series'}", f"--web.listen-address=127.0.0.1:{self._port}",
        ]  # fmt: skip
        self._process = Process("prometheus", command, folder)

    def stop(self) -> None:
        """End the server."""
        self._process.stop()

    def scrape(self, name: str, address: str, **labels: str) -> None:
        """Scrape `address` from now on, in place of what had this name before."""
        self._targets[name] = {"targets": [address], "labels": labels}
        self._write_targets()

    def forget(self, name: str) -> None:
        """Scrape a target no longer, as discovery does with a pod that is gone."""
        self._targets.pop(name, None)
        self._write_targets()

    def ask(self, expression: str) -> list[float]:
        """Return the values of `expression` now, without those that are no number."""
        query = urllib.parse.urlencode({"query": expression})
        url = f"http://127.0.0.1:{self._port}/api/v1/query?{query}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                found = json.load(answer)["data"]["result"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{expression}: {error.read().decode()}") from error
        values = [float(each["value"][1]) for each in found]
        return [value for value in values if not math.isnan(value)]

    def answers(self) -> bool:
        """Say whether it takes questions."""
        try:
            return self.ask("vector(1)") == [1.0]
        except (AssertionError, urllib.error.URLError):
            return False

    def _write_targets(self) -> None:
        # In one step: what is half written would be read as no targets at all.
        path = self._folder / "targets.json.new"
        path.write_text(json.dumps(list(self._targets.values())))
        path.rename(self._folder / "targets.json")
