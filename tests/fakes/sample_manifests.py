"""The manifests in config/samples: any configuration of their spaces, and a run of one by the command."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml
from fakes.engine_environments import safetensors_home
from fakes.records import is_made_again
from hypothesis import strategies as st

from llmopt.local.folders import ResultsFolder
from llmopt_core.resources import load_manifest
from llmopt_core.resources.search_spaces import complete
from llmopt_core.search.spaces import ChoiceDimension, IntDimension
from llmopt_core.storage.definitions import define_study, engine_declaration, fixed_parameters
from llmopt_core.storage.storages import open_storage

SAMPLES = Path(__file__).parents[2] / "config" / "samples"
LIMIT_SECONDS = 600


@dataclass(frozen=True)
class Drawn:
    """What a sampler might choose, the configuration that it makes, and what the engine has against it."""

    chosen: dict
    configuration: object
    conflicts: tuple


@st.composite
def configurations(draw, sample):
    """Any configuration of the space of the manifest `sample`."""
    resource = load_manifest(sample)
    declaration = engine_declaration(resource.spec.engine)
    chosen = {}
    for parameter in define_study(resource).space.parameters:
        if parameter.active(chosen):
            chosen[parameter.name] = draw(_values(parameter.dimension))
    configuration = complete(
        chosen, fixed_parameters(resource.spec.engine, resource.spec.workload, declaration), declaration
    )
    return Drawn(chosen, configuration, declaration.conflicts(configuration))


def _values(dimension):
    if isinstance(dimension, ChoiceDimension):
        return st.sampled_from(dimension.choices)
    if isinstance(dimension, IntDimension):
        return st.integers(dimension.low, dimension.high)
    return st.floats(dimension.low, dimension.high)


def small_optimization(trials, name="arithmetic-smollm2"):
    """Return the quickstart with few trials and questions, and an engine that leaves a core to others."""
    document = yaml.safe_load((SAMPLES / "quickstart.yaml").read_text())
    document["metadata"]["name"] = name
    spec = document["spec"]
    spec["budget"]["trials"] = trials
    spec["confirm"] = {"top": 1, "repeats": 2}
    spec["search"]["space"]["engine"] = [{"name": "n_parallel", "int": {"low": 1, "high": 4}}]
    return _lightened(document)


def small_benchmark():
    """Return the benchmark with two repeats, few questions and an engine that leaves a core to others."""
    document = yaml.safe_load((SAMPLES / "benchmark.yaml").read_text())
    document["spec"]["repeats"] = 2
    return _lightened(document)


def _lightened(document):
    spec = document["spec"]
    spec["workload"] |= {"dataset": {"name": "arithmetic", "samples": 6}, "maxTokens": 8}
    spec["engine"]["args"] |= {"threads": 1}
    return document


def run_offline(path, document):
    """Run `document` below `path` by `llmopt run`, with the model of the tests in the hub's cache.

    Return the results folder and the outcomes of all trials.
    """
    return run(path, document, HF_HOME=str(safetensors_home()), HF_HUB_OFFLINE="1")


def run_command(path, document):
    """Write `document` below `path` and return the command that runs it there."""
    (path / "small.yaml").write_text(yaml.safe_dump(document))
    return (Path(sys.executable).with_name("llmopt"), "run", "small.yaml", "--no-progress")


def run(path, document, **environment):
    """Run `document` below `path` by `llmopt run`; return the results folder and the trials' outcomes.

    What was measured again because the machine was busy is left out.
    """
    done = subprocess.run(
        run_command(path, document),
        cwd=path,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    folder = ResultsFolder(path / "results" / document["metadata"]["name"])
    with open_storage(folder.storage_url()) as storage:
        trials = sorted(storage.open_study(folder.name).trials(), key=_place)
    return folder, [trial.outcome for trial in trials if not is_made_again(trial.outcome)]


def _place(trial):
    """Return what orders repeats by the plan: one that is measured again has a later number."""
    return (-1 if trial.repeat is None else trial.repeat, trial.candidate or 0, trial.number)
