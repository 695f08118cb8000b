import pytest
import yaml
from fakes.manifests import benchmark, changed, optimization
from typer.testing import CliRunner

from llmopt.cluster.clients import _COMPANIONS
from llmopt.cluster.commands.apply import pieces
from llmopt.cluster.kinds import COMPANIONS
from llmopt.main import app
from llmopt.manifest_checks import InputInvalid
from llmopt_core.api.exit_codes import Exit

CONFIG_MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "items"}, "data": {"a": "b"}}


@pytest.fixture
def file(tmp_path):
    """Write documents to a file and return its name."""

    def write(*documents, name="m.yaml"):
        path = tmp_path / name
        path.write_text("---\n".join(yaml.safe_dump(each, sort_keys=False) for each in documents))
        return str(path)

    return write


def test_all_documents_of_all_files_are_taken_in_order(file):
    """Both kinds, and what they refer to, stand in the order of the files."""
    names = [file(CONFIG_MAP, optimization(), name="a.yaml"), file(benchmark(), name="b.yaml")]
    found = pieces(names, None)
    assert [piece.label for piece in found] == [
        "configmap/items",
        "llmoptimization/small",
        "llmbenchmark/small",
    ]
    assert [piece.kind.short if piece.kind else None for piece in found] == [None, "llmo", "llmb"]


def test_the_client_knows_every_companion():
    """What is taken from a file can be applied."""
    assert _COMPANIONS.keys() == COMPANIONS


def test_faults_of_all_files_are_reported_as_validate_does(file):
    """Line by line, in the same words, for every file."""
    bad = file(changed(optimization(), "spec.budget", {"trials": 0}), name="bad.yaml")
    worse = file(changed(benchmark(), "spec.engine.name", "none"), name="worse.yaml")
    validated = CliRunner().invoke(app, ["validate", bad, worse])
    applied = CliRunner().invoke(app, ["apply", "-f", bad, worse])
    assert applied.exit_code == Exit.INVALID
    assert sorted(applied.output.splitlines()) == sorted(validated.output.splitlines())
    assert len(applied.output.splitlines()) == 2


def test_a_missing_file_is_reported_beside_the_faults_of_others(file):
    """Nothing stops at the first that is wrong."""
    bad = file(changed(optimization(), "spec.budget", {"trials": 0}))
    with pytest.raises(InputInvalid) as caught:
        pieces(["/no/such.yaml", bad], None)
    assert [str(fault.file) for fault in caught.value.faults] == ["/no/such.yaml", bad]


@pytest.mark.parametrize(
    ("stranger", "says"),
    [
        (
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"}},
            r'kind: "Deployment": expected',
        ),
        ({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}}, r"metadata.name: expected a name"),
        (
            {**CONFIG_MAP, "metadata": {"name": "x", "namespace": "b"}},
            r'metadata.namespace: "b": expected a, as -n',
        ),
    ],
)
def test_what_is_not_to_be_applied_is_named_with_its_line(file, stranger, says):
    """A stranger beside a good resource keeps both from being applied."""
    name = file(optimization(), stranger)
    with pytest.raises(InputInvalid, match=says) as caught:
        pieces([name], "a")
    assert caught.value.faults[0].line > len(yaml.safe_dump(optimization()).splitlines())


@pytest.mark.parametrize(
    "stranger", [[1, 2], "text", 7, {"kind": ["x"]}, {"kind": "Secret", "metadata": "x"}]
)
def test_garbage_beside_a_good_resource_is_a_fault(file, stranger):
    """Whatever else stands in the file is reported by its line."""
    with pytest.raises(InputInvalid, match=r"m\.yaml:\d+: "):
        pieces([file(optimization(), stranger)], None)


def test_a_namespace_that_both_say_is_fine(file):
    """-n and the manifest may agree, and one of them may be silent."""
    name = file(changed(optimization(), "metadata.namespace", "a"))
    assert pieces([name], "a")
    assert pieces([name], None)


def test_standard_input_is_read():
    """`-` reads it, and what is wrong with it is called so."""
    result = CliRunner().invoke(app, ["apply", "-f", "-"], input="kind: x")
    assert result.exit_code == Exit.INVALID
    assert "<stdin>:1:" in result.output


def test_no_file_is_said_so():
    """Without a file there is nothing to do, and how to name one is reported."""
    result = CliRunner().invoke(app, ["apply"])
    assert result.exit_code == Exit.INVALID
    assert "llmopt apply -f FILE" in result.output
