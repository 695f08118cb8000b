"""The PodMonitors of the chart, held to Prometheus Operator's own definition by a real API server."""

from pathlib import Path

import pytest
import yaml
from cluster.control_plane import ControlPlane, KubectlFailed
from cluster.programs import source
from fakes.charts import VARIANTS, rendered

_DEFINITION = "example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml"


def test_pod_monitors_are_taken_as_they_are(helm: Path, plane: ControlPlane) -> None:
    """No field is unknown to it and none is missing; one that is unknown is refused."""
    plane.apply(source("prometheus-operator") / _DEFINITION)
    plane.kubectl("create", "namespace", "llmopt-system")
    monitors = rendered(helm, VARIANTS["everything"]).all("PodMonitor")
    assert {each["metadata"]["name"] for each in monitors} == {"llmopt", "llmopt-runners"}
    plane.kubectl("create", "--validate=strict", "-f", "-", input=yaml.safe_dump_all(monitors))
    monitors[0]["spec"]["podMetricsEndpoint"] = []
    with pytest.raises(KubectlFailed, match=r"unknown field \"spec\.podMetricsEndpoint\""):
        plane.kubectl("replace", "--validate=strict", "-f", "-", input=yaml.safe_dump(monitors[0]))
