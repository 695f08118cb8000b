"""Packages here are metadata and modules written into a folder: what an installer leaves behind."""

import pytest

from llmopt_core.metrics.catalog import CATALOG, MetricNotFound, all_metrics, find_metric
from llmopt_core.plugins import PluginBroken, PluginGroup, PluginNotFound, load_plugin, plugin_names
from llmopt_core.resources.serving import Dataset, Evaluator
from llmopt_runner.datasets.base import DatasetSource
from llmopt_runner.datasets.loading import load_dataset
from llmopt_runner.quality.loading import load_evaluator


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Return a function that installs a package with one entry point and one module."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(package, group, entry, code="", module=None):
        info = tmp_path / f"{package.replace('-', '_')}-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1\n")
        (info / "entry_points.txt").write_text(f"[{group.value}]\n{entry}\n")
        if module:
            (tmp_path / f"{module}.py").write_text(code)

    return write


@pytest.mark.parametrize("name", plugin_names(PluginGroup.DATASETS))
def test_every_registered_data_set_loads(name):
    """Each data set that this project registers loads, under its own name, with a registered evaluator."""
    source = load_dataset(Dataset(name=name))
    assert isinstance(source, DatasetSource)
    assert source.name == name
    assert source.evaluator in plugin_names(PluginGroup.EVALUATORS)
    load_evaluator(None, source.evaluator).check(source.items(40, 0))


def test_built_in_names_are_registered():
    """The built-in data sets and evaluators are entry points of this project's own distribution."""
    assert {"arithmetic", "korean_math", "korean_qa"} <= set(plugin_names(PluginGroup.DATASETS))
    expected = {"choice", "contains", "distinct", "endpoint", "exact", "judge", "numeric", "token_f1"}
    assert expected <= set(plugin_names(PluginGroup.EVALUATORS))


def test_unknown_name_suggests_the_nearest():
    """A misspelt name is an error with the nearest name and all others."""
    with pytest.raises(PluginNotFound, match=r"'korean_maths' .*did you mean 'korean_math'.*arithmetic"):
        load_dataset(Dataset(name="korean_maths"))
    with pytest.raises(PluginNotFound, match=r"did you mean 'numeric'"):
        load_evaluator(Evaluator(name="numerik"), "exact")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (None, "No module named 'broken_parts'"),
        ("raise RuntimeError('no licence')", "RuntimeError: no licence"),
        ("def", "SyntaxError"),
        ("thing = 1", "has no attribute 'Thing'"),
    ],
)
def test_plugin_that_cannot_be_imported_names_its_package(install, code, reason):
    """Whatever happens while a plug-in is imported, the error names the package and what to do."""
    install("broken-pack", PluginGroup.DATASETS, "mine = broken_parts:Thing", code, code and "broken_parts")
    with pytest.raises(
        PluginBroken, match=rf"package broken-pack registers 'mine'.*{reason}.*uninstall broken-pack"
    ):
        load_dataset(Dataset(name="mine"))


@pytest.mark.parametrize(
    ("group", "code", "reason", "load"),
    [
        (PluginGroup.DATASETS, "thing = 1", "not a callable", lambda: load_dataset(Dataset(name="mine"))),
        (
            PluginGroup.DATASETS,
            "def thing(): return 1",
            "returned a int, not a DatasetSource",
            lambda: load_dataset(Dataset(name="mine")),
        ),
        (PluginGroup.EVALUATORS, "def thing(): pass", "not a subclass", lambda: load_evaluator(None, "mine")),
        (PluginGroup.METRICS, "thing = 'x'", "it is a str, not a", lambda: find_metric("mine")),
        (
            PluginGroup.METRICS,
            "from llmopt_core.metrics.catalog import CATALOG; thing = CATALOG['accuracy']",
            "calls itself 'accuracy'",
            lambda: find_metric("mine"),
        ),
    ],
)
def test_plugin_of_the_wrong_kind_names_its_package(install, tmp_path, group, code, reason, load):
    """A plug-in that is not what its group holds is an error with the package and what was expected."""
    module = tmp_path.name
    install("odd-pack", group, f"mine = {module}:thing", code, module)
    with pytest.raises(PluginBroken, match=rf"package odd-pack registers 'mine'.*{reason}"):
        load()


def test_one_name_from_two_packages(install):
    """Two packages that register one name are both named: which one is used is not left to chance."""
    install("first-pack", PluginGroup.DATASETS, "mine = first_parts:thing")
    install("second-pack", PluginGroup.DATASETS, "mine = second_parts:thing")
    with pytest.raises(PluginBroken, match="more than once, by first-pack, second-pack"):
        load_plugin(PluginGroup.DATASETS, "mine")


def test_metric_of_the_catalogue_cannot_be_replaced(install):
    """A plug-in cannot give a metric of the catalogue another meaning."""
    code = "from llmopt_core.metrics.catalog import CATALOG; thing = CATALOG['accuracy']"
    install("odd-pack", PluginGroup.METRICS, "accuracy = replacing_parts:thing", code, "replacing_parts")
    assert find_metric("accuracy") is CATALOG["accuracy"]
    with pytest.raises(PluginBroken, match="a metric's name has one meaning"):
        all_metrics()


def test_unknown_metric_suggests_the_nearest():
    """A misspelt metric is an error with the nearest name."""
    with pytest.raises(MetricNotFound, match=r"'acuracy' is not a metric \(did you mean 'accuracy'"):
        find_metric("acuracy")
    assert all_metrics() == dict(CATALOG)
