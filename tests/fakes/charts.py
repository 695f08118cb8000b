"""What helm makes of the chart."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).parents[2] / "helm" / "llmopt"
# Values by what they show of the chart.
VARIANTS: dict[str, dict[str, Any]] = {
    "default": {},
    "namespaced": {"settings": {"namespaces": ["team-a", "team-b"]}, "crds": {"install": False}},
    "everything": {
        "registry": "registry.example.com/llmopt",
        "imagePullSecrets": [{"name": "registry"}],
        "replicas": 2,
        "settings": {
            "rollout": {"enabled": True},
            "images": {"llamacpp": "registry.example.com/own/llamacpp:1"},
            "policy": {
                "images": ["registry.example.com"],
                "engines": ["llamacpp"],
                "serviceAccounts": ["puller"],
                "secretSelector": "",
            },
        },
        "podAnnotations": {"example.com/note": "seen"},
        "podLabels": {"example.com/team": "platform"},
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"key": "dedicated", "operator": "Exists"}],
        "affinity": {"podAntiAffinity": {}},
        "priorityClassName": "system-cluster-critical",
        "serviceAccount": {"name": "operator", "annotations": {"example.com/role": "llmopt"}},
        "image": {"digest": f"sha256:{'0' * 64}"},
        "networkPolicy": {
            "metricsFrom": [{"namespaceSelector": {"matchLabels": {"name": "monitoring"}}}],
            "runners": {"enabled": True},
        },
        "metrics": {
            "podMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
            "prometheusRule": {
                "enabled": True,
                "labels": {"release": "prometheus"},
                "runbooks": "https://git.example.com/llmopt/blob/main/",
                "disabled": ["LLMOptBudgetNearlySpent"],
            },
        },
        "grafana": {"dashboards": {"enabled": True, "annotations": {"grafana_folder": "llmopt"}}},
        "tenants": [
            {"namespace": "team-a"},
            {"namespace": "team-b", "url": "postgresql+psycopg://user:word@db.example.com/team_b"},
        ],
        "postgres": {"enabled": True, "storage": {"className": "fast"}},
        "databaseCertificates": {"configMap": "database-ca"},
        "optunaDashboard": {"enabled": True},
    },
}


@dataclass(frozen=True)
class Rendered:
    """What `helm template` printed, as text and as documents."""

    text: str
    documents: Sequence[dict[str, Any]]

    def of(self, kind: str, name: str | None = None) -> dict[str, Any]:
        """Return the one document of `kind` (and `name`)."""
        (found,) = (each for each in self.all(kind) if name in {None, each["metadata"]["name"]})
        return found

    def all(self, kind: str) -> list[dict[str, Any]]:
        """Return the documents of `kind`."""
        return [each for each in self.documents if each["kind"] == kind]

    def pods(self) -> list[dict[str, Any]]:
        """Return the pod templates, with their metadata."""
        return [each["spec"]["template"] for each in self.documents if "template" in each.get("spec", {})]


class ChartRefused(Exception):
    """Helm refused values; the message is what it said."""


def rendered(helm: Path, values: dict[str, Any], chart: Path = CHART) -> Rendered:
    """Return what `helm template` makes of `values`, as its release `llmopt` in `llmopt-system`.

    Raises ChartRefused with what helm said.
    """
    command = (helm, "template", "llmopt", chart, "--namespace=llmopt-system", "--values=-")
    done = subprocess.run(command, input=yaml.safe_dump(values), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ChartRefused(done.stderr)
    return Rendered(done.stdout, [each for each in yaml.safe_load_all(done.stdout) if each])
