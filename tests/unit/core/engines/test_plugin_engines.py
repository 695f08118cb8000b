"""An engine of another package brings all that a built-in one has: nothing here knows it by name."""

import tomllib
from pathlib import Path

import pytest

from llmopt.commands.advice import Situation, advice
from llmopt.commands.explain import explained
from llmopt.machine.descriptions import Description, EngineFound, GpusFound
from llmopt.machine.hardware import Hardware
from llmopt.machine.versions import machine_facts
from llmopt.starting.settings import suited
from llmopt_core.engines.first_settings import Machine
from llmopt_core.engines.registry import BUILT_IN, declaration_of, engine_names
from llmopt_core.errors.classes import ErrorClass
from llmopt_core.resources.presets import preset_space
from llmopt_operator.domain.images import runner_image
from llmopt_operator.settings import OperatorSettings

EXAMPLE = Path(__file__).parents[3] / "plugins/llmopt_example"
LOG = "parrot: started with {'words': 500}\nparrot: at most 100 words\n"


@pytest.fixture
def parrot(tmp_path, monkeypatch):
    """The declaration of the example package, which is on the path as if it were installed."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    folder = tmp_path / "llmopt_example-1.0.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: llmopt-example\nVersion: 1.0.0\n")
    engines = project["entry-points"]["llmopt.engines"]
    lines = (f"{name} = {value}\n" for name, value in engines.items())
    (folder / "entry_points.txt").write_text("[llmopt.engines]\n" + "".join(lines))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.syspath_prepend(str(EXAMPLE / "src"))
    declaration = declaration_of("parrot")
    assert declaration is not None
    return declaration


def test_it_is_found_beside_the_built_in_ones(parrot):
    """By its entry point alone."""
    assert parrot.name in engine_names()
    assert parrot.name not in BUILT_IN


@pytest.mark.parametrize("engine", [None, "parrot"])
def test_its_log_is_known_and_explained(parrot, engine):
    """Its own mark, its own patterns with the arguments that its log names, and its own limits."""
    found = explained(LOG, engine)
    assert (found.engine, found.cause) == (parrot.name, "too-many-words")
    assert found.failure.error_class is ErrorClass.INVALID_CONFIGURATION
    assert found.failure.suggestion == "Lower words (500) to 100."
    assert [str(limit) for limit in found.failure.limits] == ["words must be at most 100"]


def test_its_preset_is_searched(parrot):
    """What it suggests of its server, and of sampling what it declares."""
    names = [name for name, _ in preset_space("balanced", parrot, {}).all_parameters()]
    assert names == ["engine.words", "sampling.temperature", "prompt.few_shot"]


def test_a_failure_for_memory_names_its_parameters(parrot):
    """With their values, and those to lower first."""
    words = parrot.memory.words({"words": 7, "other": 1})
    assert words.settings == "words 7"
    assert words.advice.startswith("Lower words (now 7), ")


def test_its_packages_are_in_reports_and_in_advice(parrot):
    """The version that is installed; and what to type where it is not."""
    assert "llmopt-example 1.0.0" in machine_facts()["Versions"]
    found = Description({parrot.name: EngineFound(None)}, (), GpusFound())
    hardware = Hardware("a processor", 1, 100.0, 0)
    lines = list(advice(Situation(hardware, found, "", (), ())))
    assert "engine parrot is not installed: pip install llmopt-example" in lines


def test_a_first_study_may_be_its(parrot):
    """Where it says that it suits the machine, and nothing better is there."""
    settings = suited(Machine(1, 1000.0, installed=frozenset({parrot.name})))
    assert settings.engine == parrot.name


def test_the_operator_takes_its_image(parrot):
    """By its name, or as the administrator says: the operator has no plug-in of runners."""
    assert runner_image(parrot.name, OperatorSettings()) == "llmopt-runner:parrot"
    assert runner_image(parrot.name, OperatorSettings(images={"parrot": "a/b:1"})) == "a/b:1"
