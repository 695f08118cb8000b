"""Grafana's dashboards as JSON: panels that are placed by themselves, row by row."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_SCHEMA_VERSION = 39
_GRID_COLUMNS = 24
_DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
Json = dict[str, Any]


@dataclass(frozen=True)
class Panel:
    """One panel: `queries` map a legend to an expression; `unit` is one of Grafana's.

    `repeat` names a variable: there is one such panel for each of its values, side by side. It needs a row of
    its own.
    """

    title: str
    text: str
    queries: Mapping[str, str]
    unit: str = "short"
    kind: str = "timeseries"
    width: int = 8
    height: int = 7
    repeat: str = ""
    decimals: int | None = None
    maximum: float | None = None

    def json(self, number: int, place: Mapping[str, int]) -> Json:
        """Return the panel at a place of the grid."""
        limits = {"decimals": self.decimals, "max": self.maximum}
        defaults = {"unit": self.unit, "min": 0} | {k: v for k, v in limits.items() if v is not None}
        repeated = {"repeat": self.repeat, "repeatDirection": "h"} if self.repeat else {}
        return {
            "id": number,
            "type": self.kind,
            "title": self.title,
            "description": self.text,
            "datasource": _DATASOURCE,
            "fieldConfig": {"defaults": defaults, "overrides": []},
            "options": self._options(),
            **repeated,
            "targets": [
                {
                    "datasource": _DATASOURCE,
                    "expr": query,
                    "legendFormat": legend,
                    "refId": chr(ord("A") + at),
                }
                for at, (legend, query) in enumerate(self.queries.items())
            ],
            "gridPos": dict(place),
        }

    def _options(self) -> Json:
        if self.kind == "timeseries":
            return {
                "legend": {"showLegend": True, "displayMode": "list", "placement": "bottom"},
                "tooltip": {"mode": "multi", "sort": "desc"},
            }
        return {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}}


def number(title: str, text: str, query: str, unit: str = "short", **more: Any) -> Panel:
    """Return a panel that shows one number."""
    return Panel(title, text, {"__auto": query}, unit, kind="stat", width=4, height=4, **more)


@dataclass(frozen=True)
class Variable:
    """What is chosen at the top of a dashboard: the values of `label` in the series of `selector`."""

    name: str
    label: str
    selector: str
    several: bool = False
    hidden: bool = False

    def json(self) -> Json:
        """Return the variable; with `several`, all values are chosen at first."""
        query = f"label_values({self.selector}, {self.label})"
        everything = {"text": "All", "value": "$__all"}
        return {
            "name": self.name,
            "type": "query",
            "label": self.label.capitalize(),
            "datasource": _DATASOURCE,
            "query": {"query": query, "refId": self.name},
            "refresh": 2,
            "sort": 1,
            "multi": self.several,
            "includeAll": self.several,
            **({"allValue": ".*", "current": everything} if self.several else {}),
            "hide": 2 if self.hidden else 0,
        }


@dataclass(frozen=True)
class Dashboard:
    """One dashboard: its panels in reading order."""

    uid: str
    title: str
    text: str
    panels: Sequence[Panel]
    variables: Sequence[Variable] = field(default=())

    def json(self) -> Json:
        """Return the whole dashboard, as Grafana imports it."""
        datasource = {
            "name": "datasource", "type": "datasource", "query": "prometheus", "label": "Data source",
        }  # fmt: skip
        return {
            "uid": self.uid,
            "title": self.title,
            "description": self.text,
            "tags": ["llmopt"],
            "schemaVersion": _SCHEMA_VERSION,
            "version": 1,
            "editable": True,
            "refresh": "30s",
            "time": {"from": "now-6h", "to": "now"},
            "links": [
                {
                    "title": "llmopt", "type": "dashboards", "tags": ["llmopt"], "asDropdown": True,
                    "includeVars": True, "keepTime": True,
                }
            ],
            "templating": {"list": [datasource, *(each.json() for each in self.variables)]},
            "annotations": {"list": []},
            "panels": list(self._placed()),
        }  # fmt: skip

    def _placed(self) -> Iterator[Json]:
        x = y = tallest = 0
        for at, panel in enumerate(self.panels, start=1):
            if x + panel.width > _GRID_COLUMNS:
                x, y, tallest = 0, y + tallest, 0
            yield panel.json(at, {"x": x, "y": y, "w": panel.width, "h": panel.height})
            x, tallest = x + panel.width, max(tallest, panel.height)
