"""The example package is built and installed for real; nothing of it is known to llmopt but its metadata."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

import pytest

from llmopt_core.metrics.catalog import CATALOG, all_metrics, find_metric
from llmopt_core.plugins import PluginGroup, plugin_names
from llmopt_core.resources.serving import Dataset
from llmopt_core.search.configurations import Configuration
from llmopt_runner.datasets.loading import load_dataset
from llmopt_runner.engines.base import LaunchSettings, load_engine
from llmopt_runner.engines.server import EngineServer
from llmopt_runner.quality.loading import load_evaluator

_PACKAGE = Path(__file__).parents[2] / "plugins" / "llmopt_example"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Build the package's wheel with its own build backend and unpack it, as an installer would."""
    folder = tmp_path_factory.mktemp("plugin")
    source = shutil.copytree(_PACKAGE, folder / "source")
    build = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
    built = subprocess.run(
        [sys.executable, "-c", build, str(folder)], cwd=source, check=True, capture_output=True, text=True
    )
    site = folder / "site-packages"
    zipfile.ZipFile(folder / built.stdout.split()[-1]).extractall(site)
    return site


@pytest.fixture
def plugged(installed, monkeypatch):
    """Put the installed package where Python looks for packages."""
    monkeypatch.syspath_prepend(str(installed))


def test_names_are_listed_without_importing(installed):
    """A fresh process lists the plug-in's names beside the built-in ones and has imported neither."""
    code = (
        "import json, sys; from llmopt_core.plugins import PluginGroup, plugin_names;"
        "names = {group.value: plugin_names(group) for group in PluginGroup};"
        "loaded = [name for name in sys.modules if name.startswith(('llmopt_example', 'llmopt_runner'))];"
        "print(json.dumps([names, loaded]))"
    )
    there = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    )
    names, loaded = json.loads(there.stdout)
    assert "parrot" in names["llmopt.engines"]
    assert {"colours", "arithmetic", "korean_math", "korean_qa"} <= set(names["llmopt.datasets"])
    assert {"brevity", "exact", "numeric", "judge"} <= set(names["llmopt.evaluators"])
    assert names["llmopt.metrics"] == ["brevity"]
    assert loaded == []


@pytest.mark.usefixtures("plugged")
def test_data_set_evaluator_and_metric_work_together():
    """The plug-in's data set brings the plug-in's evaluator, whose metric the catalogue then knows."""
    source = load_dataset(Dataset(name="colours"))
    search, held_out, shots = source.split(4, 4, 0)
    evaluator = load_evaluator(None, source.evaluator)
    score = asyncio.run(evaluator.score(search[0], "two words"))
    assert (len(search), len(held_out), len(shots)) == (4, 4, 2)
    assert evaluator.aggregate({search[0].id: score}, {}) == {"brevity": 0.5}
    assert find_metric("brevity").source == "llmopt-example"
    assert set(all_metrics()) == {*CATALOG, "brevity"}


@pytest.mark.usefixtures("plugged")
def test_engine_is_started_and_answers(tmp_path):
    """The plug-in's server is started like any other, answers a real completion, and is gone afterwards."""
    engine = load_engine("parrot")
    configuration = engine.declaration.canonical(Configuration(engine={"words": 2}))
    settings = LaunchSettings(None, "parrot", tmp_path, tmp_path / "log", parameters=configuration.engine)
    with EngineServer(engine, settings) as server:
        server.start(timeout_seconds=60)
        body = json.dumps({"messages": [{"role": "user", "content": "one two three"}]}).encode()
        request = urllib.request.Request(f"{server.base_url}/v1/chat/completions", body)  # noqa: S310 - loopback
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - loopback
            content = json.load(answer)["choices"][0]["message"]["content"]
    assert content == "two three"
    assert not server.alive()


def test_nothing_of_it_is_left():
    """Without the package its names are gone: plug-ins are found by metadata alone."""
    assert "colours" not in plugin_names(PluginGroup.DATASETS)
