"""What all engines share, and how they are found."""

import dataclasses

import pytest
from fakes.fake_engine import FakeEngine

from llmopt_core.engines.packaging import Packaging
from llmopt_core.plugins import Plugin, PluginBroken, PluginGroup
from llmopt_runner.engines import base
from llmopt_runner.engines.base import load_engine, model_ids
from llmopt_runner.engines.failures import EngineNotFound, UnsupportedParameter
from llmopt_runner.engines.llamacpp.engine import LlamaCpp
from llmopt_runner.engines.openai.engine import OpenAI


@pytest.mark.parametrize(("name", "kind"), [("llamacpp", LlamaCpp), ("openai", OpenAI)])
def test_the_built_in_engines_are_plug_ins_like_any_other(name, kind):
    """Entry points find the engines that this project brings."""
    assert type(load_engine(name)) is kind
    assert load_engine(name).declaration.name == name


def test_an_unknown_engine_is_named_with_the_nearest():
    """A misspelt engine's message names the field, the name and what there is."""
    with pytest.raises(EngineNotFound, match=r"spec\.engine\.name: 'lamacpp'.*'llamacpp'.*openai"):
        load_engine("lamacpp")


def test_a_plug_in_that_is_no_engine_is_an_error(monkeypatch):
    """A package that registers something else is named."""
    plugin = Plugin("odd", PluginGroup.ENGINES, "odd-package", dict)
    monkeypatch.setattr(base, "load_plugin", lambda _group, _name: plugin)
    with pytest.raises(PluginBroken, match=r"odd-package.*not a subclass"):
        load_engine("odd")


def test_request_fields_are_what_was_asked():
    """Declared parameters become body fields unchanged."""
    assert FakeEngine().request_fields({"temperature": 0.5}) == {"temperature": 0.5}


def test_an_undeclared_request_field_is_an_error():
    """What the engine would ignore in silence is refused."""
    with pytest.raises(UnsupportedParameter, match=r"engine fake has no parameter sampling\.top_k"):
        FakeEngine().request_fields({"top_k": 1})


@pytest.mark.parametrize(
    ("models", "ids"),
    [({"data": [{"id": "a"}, {"id": "b"}]}, ("a", "b")), ({"data": None}, ()), ({}, ()), ({"data": []}, ())],
)
def test_model_ids_are_read_from_any_answer(models, ids):
    """An odd answer of a server names no model, and breaks nothing."""
    assert model_ids(models) == ids


class _Versioned(FakeEngine):
    declaration = dataclasses.replace(FakeEngine.declaration, packaging=Packaging(version="0.32.0"))

    def __init__(self, version):
        self._version = version

    def installed(self):
        return self._version


@pytest.mark.parametrize(
    ("version", "warned"),
    [("fake 0.32.4+cpu", False), ("fake 0.33.0", True), ("fake unknown", False), (None, False)],
)
def test_another_version_than_the_declared_is_a_warning(version, warned):
    """Its defaults and rules may differ; a patch of the same version has the same parameters."""
    doubts = _Versioned(version).version_doubts()
    assert bool(doubts) is warned
    if warned:
        assert "0.33 is installed, its parameters are declared for 0.32.0" in doubts[0]
