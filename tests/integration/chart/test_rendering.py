"""What helm makes of the chart, for several values.

A changed snapshot is written again, to be looked at, with LLMOPT_WRITE_SNAPSHOTS=1.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from fakes.charts import CHART, VARIANTS, ChartRefused, Rendered, rendered
from fakes.manifests import optimization

from llmopt_core.engines.registry import BUILT_IN
from llmopt_core.resources import resource_of
from llmopt_operator.domain.images import runner_image
from llmopt_operator.settings import OperatorSettings
from llmopt_operator.specs.jobs import runner_job

ROOT = Path(__file__).parents[3]
SNAPSHOTS = Path(__file__).parent / "snapshots"
DOCUMENT = optimization()
DOCUMENT["metadata"] |= {"namespace": "team-a", "uid": "uid"}
_CHANGES = (
    (re.compile(r"^(  (?:password|llmopt-team-[ab]|url)): \S+$", re.MULTILINE), r"\1: SECRET"),
    (re.compile(r"^(  \S+\.json): .*$", re.MULTILINE), r"\1: DASHBOARD"),
)


def _stable(text: str) -> str:
    """Return what was rendered less what differs each time, or is checked elsewhere: secrets, CRDs."""
    documents = re.split(r"^---\n", text, flags=re.MULTILINE)
    kept = "---\n".join(each for each in documents if "kind: CustomResourceDefinition" not in each)
    for pattern, stable in _CHANGES:
        kept = pattern.sub(stable, kept)
    return kept


def test_helm_has_nothing_to_say(helm: Path) -> None:
    """helm's own linter finds no fault in the chart, not even a warning."""
    done = subprocess.run((helm, "lint", "--strict", CHART), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "[WARNING]" not in done.stdout


def test_a_change_of_the_chart_shows_in_its_snapshots(variant: tuple[str, Rendered]) -> None:
    """What is rendered is what was looked at and committed."""
    name, chart = variant
    snapshot = SNAPSHOTS / f"{name}.yaml"
    if os.environ.get("LLMOPT_WRITE_SNAPSHOTS"):
        snapshot.write_text(_stable(chart.text))
    assert _stable(chart.text) == snapshot.read_text()


def test_the_definitions_are_those_of_the_types_and_stay(helm: Path) -> None:
    """The chart brings the CRDs under crds/, marked to outlive the release; and none when configured so."""
    committed = [yaml.safe_load(path.read_text()) for path in sorted((ROOT / "crds").glob("*.yaml"))]
    brought = rendered(helm, {}).all("CustomResourceDefinition")
    assert [each["metadata"].pop("annotations") for each in brought] == [
        {"helm.sh/resource-policy": "keep"}
    ] * 2
    assert brought == committed
    assert rendered(helm, {"crds": {"install": False}}).all("CustomResourceDefinition") == []


def test_the_operator_reads_its_settings(variant: tuple[str, Rendered]) -> None:
    """Each variant's settings file is one that the operator takes, with an image for every engine."""
    name, chart = variant
    (settings,) = chart.of("ConfigMap", "llmopt-settings")["data"].values()
    read = OperatorSettings.model_validate(yaml.safe_load(settings))
    for engine, declared in BUILT_IN.items():
        own = runner_image(engine, read)
        assert (
            own.endswith(f":0.1.0-{declared.image}") or engine in read.images or not (own or declared.image)
        )
    assert list(read.namespaces) == VARIANTS[name].get("settings", {}).get("namespaces", [])


def test_images_come_from_the_registry_unless_named(helm: Path) -> None:
    """The registry stands before llmopt's own images, and an image given for an engine is taken as it is."""
    chart = rendered(helm, VARIANTS["everything"])
    document = yaml.safe_load(chart.of("ConfigMap", "llmopt-settings")["data"]["operator.yaml"])
    settings = OperatorSettings.model_validate(document)
    assert runner_image("llamacpp", settings) == "registry.example.com/own/llamacpp:1"
    assert runner_image("openai", settings) == "registry.example.com/llmopt/llmopt-runner:0.1.0-base"
    (operator,) = chart.of("Deployment", "llmopt")["spec"]["template"]["spec"]["containers"]
    assert operator["image"] == f"registry.example.com/llmopt/llmopt-operator@sha256:{'0' * 64}"
    (operator,) = rendered(helm, {}).of("Deployment")["spec"]["template"]["spec"]["containers"]
    assert operator["image"] == "llmopt-operator:0.1.0"


def test_images_by_digest_are_taken_as_they_are(helm: Path) -> None:
    """The operator's, the dashboard's, Postgres' and the engines' images may be named by their digests."""
    digest = f"sha256:{'a' * 64}"
    values = {
        "image": {"digest": digest},
        "settings": {"images": {"vllm": f"ghcr.io/acme/vllm@{digest}"}},
        "postgres": {"enabled": True, "image": f"postgres@{digest}"},
        "tenants": [{"namespace": "team-a"}],
        "optunaDashboard": {"enabled": True, "image": {"digest": digest}},
    }
    chart = rendered(helm, values)
    found = {each["image"] for pod in chart.pods() for each in pod["spec"]["containers"]}
    assert found == {f"llmopt-operator@{digest}", f"postgres@{digest}", f"llmopt-dashboard@{digest}"}
    settings = yaml.safe_load(chart.of("ConfigMap", "llmopt-settings")["data"]["operator.yaml"])
    assert settings["images"]["vllm"] == f"ghcr.io/acme/vllm@{digest}"


def test_runners_are_kept_from_the_metadata_addresses_where_that_is_asked_for(helm: Path) -> None:
    """The policy selects runners by the operator's labels, and leaves open all other addresses and ports."""
    assert "llmopt-runners" not in rendered(helm, {}).text
    values = {
        "settings": {"namespaces": ["team-a"]},
        "tenants": [{"namespace": "team-b", "url": "postgresql+psycopg://h/d"}],
        "networkPolicy": {"runners": {"enabled": True}},
    }
    policies = [
        each
        for each in rendered(helm, values).all("NetworkPolicy")
        if each["metadata"]["name"] == "llmopt-runners"
    ]
    assert {each["metadata"]["namespace"] for each in policies} == {"team-a", "team-b"}
    job = runner_job(DOCUMENT, resource_of(DOCUMENT), OperatorSettings())
    labels = job["spec"]["template"]["metadata"]["labels"]
    for policy in policies:
        assert policy["spec"]["podSelector"]["matchLabels"].items() <= labels.items()
        assert policy["spec"]["policyTypes"] == ["Egress"]
        (rule,) = policy["spec"]["egress"]
        assert "ports" not in rule
        four, six = (peer["ipBlock"] for peer in rule["to"] if "ipBlock" in peer)
        assert four["cidr"] == "0.0.0.0/0"
        assert "169.254.169.254/32" in four["except"]
        assert six["cidr"] == "::/0"
        assert "fd00:ec2::254/128" in six["except"]


def test_a_policy_for_runners_needs_namespaces(helm: Path) -> None:
    """Without a namespace the protection would be none: the chart says so."""
    with pytest.raises(ChartRefused, match=r"networkPolicy\.runners: no namespace to protect"):
        rendered(helm, {"networkPolicy": {"runners": {"enabled": True}}})


def test_changed_settings_start_a_new_pod(helm: Path) -> None:
    """The pods' annotation changes with the settings file, and with nothing else."""

    def checksum(values: dict[str, Any]) -> str:
        pods = rendered(helm, values).of("Deployment")["spec"]["template"]
        return str(pods["metadata"]["annotations"]["checksum/settings"])

    assert checksum({}) == checksum({"replicas": 2})
    assert checksum({}) != checksum({"settings": {"pollSeconds": 3}})


def test_every_pod_is_restricted(variant: tuple[str, Rendered]) -> None:
    """Each pod keeps the restricted standard, cannot write to its image and has bounded memory."""
    for pod in variant[1].pods():
        spec = pod["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] > 0
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in spec["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert "memory" in container["resources"]["limits"]


def test_only_the_operator_gets_a_token(variant: tuple[str, Rendered]) -> None:
    """No pod but the operator's is given a service account's token."""
    with_token = [pod for pod in variant[1].pods() if pod["spec"]["automountServiceAccountToken"]]
    assert [pod["metadata"]["labels"]["app.kubernetes.io/component"] for pod in with_token] == ["operator"]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"settings": {"namspaces": ["a"]}}, "at '/settings': additional properties 'namspaces' not allowed"),
        ({"replicas": "two"}, "at '/replicas': got string, want integer"),
        (
            {"replicas": 2, "settings": {"leaderElection": {"enabled": False}}},
            "replicas: 2 operators would act at once: set settings.leaderElection.enabled, or replicas: 1",
        ),
        (
            {"tenants": [{"namespace": "team-a"}]},
            "tenants[0]: namespace team-a has no database: give its url, or set postgres.enabled=true",
        ),
        ({"optunaDashboard": {"enabled": True}}, "optunaDashboard: no namespace to run in: name one in"),
    ],
)
def test_wrong_values_are_refused_in_one_sentence(helm: Path, values: dict[str, Any], said: str) -> None:
    """helm names the value that is wrong, and what to do where that is not plain."""
    with pytest.raises(ChartRefused, match=re.escape(said)):
        rendered(helm, values)


def test_every_dashboard_file_comes_along(helm: Path, tmp_path: Path) -> None:
    """Each JSON file under dashboards/ is in a ConfigMap of its own, byte for byte, labelled for Grafana."""
    chart = tmp_path / "llmopt"
    shutil.copytree(CHART, chart)
    (chart / "dashboards").mkdir(exist_ok=True)
    (chart / "dashboards" / "own.json").write_text('{"legend": "{{engine}} <> \'%\'",\n "한": 1}\n')
    maps = [
        each
        for each in rendered(helm, {"grafana": {"dashboards": {"enabled": True}}}, chart).all("ConfigMap")
        if "-dashboard-" in each["metadata"]["name"]
    ]
    assert all(each["metadata"]["labels"]["grafana_dashboard"] == "1" for each in maps)
    files = {path.name: path.read_text() for path in (chart / "dashboards").glob("*.json")}
    assert {name: text for each in maps for name, text in each["data"].items()} == files


def test_a_database_name_is_never_cut(helm: Path) -> None:
    """Two long namespaces that begin alike get two databases, of at most Postgres' 63 letters."""
    tenants = [{"namespace": "a" * 60 + end} for end in ("-1", "-2")]
    chart = rendered(helm, {"tenants": tenants, "postgres": {"enabled": True}})
    names = list(chart.of("Secret", "llmopt-postgres-tenants")["data"])
    assert len(names) == 2
    assert all(len(name) <= 63 for name in names)
