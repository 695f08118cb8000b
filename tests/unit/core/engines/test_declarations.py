"""Parameters as data: reading values, bounds, and the registry of engines."""

import contextlib
import dataclasses
import math
from importlib.metadata import EntryPoint

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt_core import plugins
from llmopt_core.engines.declarations import (
    EngineDeclaration,
    Kind,
    ParameterDeclaration,
    When,
    by_full_name,
    completed,
    manifest_text,
    set_at_load,
)
from llmopt_core.engines.llamacpp.declaration import LLAMACPP
from llmopt_core.engines.registry import BUILT_IN, declaration_of, engine_names
from llmopt_core.plugins import PluginBroken
from llmopt_core.search.configurations import Configuration, Value

VALUES: dict[Kind, st.SearchStrategy[Value]] = {
    "int": st.integers(-(2**53), 2**53),
    "float": st.floats(allow_nan=False, allow_infinity=False),
    "bool": st.booleans(),
    "text": st.text(),
}
ALL_PARAMETERS = [
    pytest.param(parameter, id=f"{engine.name}:{name}")
    for engine in BUILT_IN.values()
    for name, parameter in engine.parameters.items()
]


def parameter(kind: Kind, low: float | None = None, high: float | None = None) -> ParameterDeclaration:
    """Return a parameter of `kind` from `low` to `high`."""
    return ParameterDeclaration("p", "engine", kind, When.LOAD, None, "", low, high)


@given(st.sampled_from(sorted(VALUES)).flatmap(lambda kind: st.tuples(st.just(kind), VALUES[kind])))
def test_what_is_written_reads_back(drawn: tuple[Kind, Value]) -> None:
    """A value written as a manifest writes it reads back the same, in value and in type."""
    kind, value = drawn
    read = parameter(kind).parse(manifest_text(value))
    assert read == value
    assert type(read) is type(value)


@given(st.text())
def test_what_is_read_lies_within_the_bounds(text: str) -> None:
    """Any text is either refused with a ValueError or read as a value within the bounds."""
    for kind in ("int", "float"):
        with contextlib.suppress(ValueError):
            assert -10 <= float(parameter(kind, low=-10, high=10).parse(text)) <= 10


def test_text_is_not_a_number_nor_a_stranger() -> None:
    """A text parameter takes text only, and with choices only those."""
    with pytest.raises(ValueError, match="7 is not text"):
        parameter("text").parse(7)
    cache = BUILT_IN["llamacpp"].parameters["engine.cache_type_k"]
    with pytest.raises(ValueError, match="'q9' is not one of f32, f16"):
        cache.parse("q9")


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("int", 8, 8),
        ("int", "8", 8),
        ("float", 1, 1.0),
        ("float", "0.5", 0.5),
        ("float", "1e-3", 0.001),
        ("bool", "true", True),
        ("bool", "False", False),
        ("text", "f16", "f16"),
    ],
)
def test_values_are_read_by_kind(kind: Kind, text: int | str, value: Value) -> None:
    """Each kind reads whole numbers and text as a person means them."""
    read = parameter(kind).parse(text)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("int", "many", "a whole number from 1 to 9"),
        ("int", "1.5", "a whole number from 1 to 9"),
        ("int", 10, "a whole number from 1 to 9"),
        ("int", 0, "a whole number from 1 to 9"),
        ("float", "nan", "a decimal number from 1 to 9"),
        ("float", "inf", "a decimal number from 1 to 9"),
        ("float", "1,5", "a decimal number from 1 to 9"),
        ("bool", "on", '"true" or "false", in quotes'),
        ("bool", 1, '"true" or "false", in quotes'),
    ],
)
def test_a_refusal_says_what_was_expected(kind: Kind, text: int | str, expected: str) -> None:
    """A value that does not fit is refused with itself and with what would fit."""
    with pytest.raises(ValueError, match="is not") as refusal:
        parameter(kind, low=1, high=9).parse(text)
    assert str(refusal.value) == f"{text!r} is not {expected}"


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (None, None, "a whole number"),
        (2, None, "a whole number of at least 2"),
        (None, 3, "a whole number of at most 3"),
    ],
)
def test_bounds_are_said_as_far_as_there_are_any(
    low: float | None, high: float | None, expected: str
) -> None:
    """An open end is not made up."""
    assert parameter("int", low, high).expected == expected


def test_numbers_take_their_declared_kind() -> None:
    """1, 1.0 and -0.0 are one configuration where the kind says so; text and truth values stay."""
    parameters = {
        "engine.n": ParameterDeclaration("n", "engine", "int", When.LOAD, None, ""),
        "sampling.t": ParameterDeclaration("t", "sampling", "float", When.REQUEST, None, ""),
    }
    given_values = Configuration(engine={"n": 4.0, "other": 1.0}, sampling={"t": -0.0})
    values = completed(given_values, parameters)
    assert values == {"engine.n": 4, "engine.other": 1.0, "sampling.t": 0.0}
    assert type(values["engine.n"]) is int
    assert math.copysign(1, float(values["sampling.t"])) == 1
    assert completed(Configuration(engine={"n": True}), parameters)["engine.n"] is True
    assert completed(Configuration(engine={"n": 1.5}), parameters)["engine.n"] == 1.5


@pytest.mark.parametrize("declared", ALL_PARAMETERS)
def test_a_default_and_a_neutral_value_are_allowed_values(declared: ParameterDeclaration) -> None:
    """What a built-in engine does by itself, and what switches a parameter off, can be written down."""
    for value in (declared.default, declared.neutral):
        if value is not None:
            assert declared.parse(manifest_text(value)) == value
    assert declared.meaning


@pytest.mark.parametrize("engine", BUILT_IN.values(), ids=BUILT_IN)
def test_parameters_stand_under_their_full_names(engine: EngineDeclaration) -> None:
    """The table of an engine is keyed by what its parameters call themselves."""
    assert all(name == declared.full_name for name, declared in engine.parameters.items())
    assert {declared.when for declared in engine.parameters.values() if declared.group == "sampling"} == {
        When.REQUEST
    }


def test_built_in_engines_are_declared_without_their_code() -> None:
    """A manifest of a built-in engine is checked where the engine is not installed."""
    assert declaration_of("llamacpp") is BUILT_IN["llamacpp"]
    assert set(engine_names()) >= {"llamacpp", "openai"}


def test_an_unknown_engine_has_no_declaration() -> None:
    """A name that nobody registers is answered with None."""
    assert declaration_of("no-such-engine") is None


class Declared:
    """A plug-in that declares what another engine does."""

    declaration = BUILT_IN["openai"]


class Silent:
    """A plug-in that declares nothing."""


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register two plug-ins as installed packages would."""
    entries = [EntryPoint(name, f"{__name__}:{name}", "llmopt.engines") for name in ("Declared", "Silent")]
    for entry, value in zip(entries, (Declared, Silent), strict=True):
        vars(entry)["load"] = lambda value=value: value

    def find(*, group: str, name: str | None = None) -> list[EntryPoint]:
        assert group == "llmopt.engines"
        return [entry for entry in entries if name in {None, entry.name}]

    monkeypatch.setattr(plugins, "entry_points", find)


@pytest.mark.usefixtures("registered")
def test_a_plug_in_declares_its_engine() -> None:
    """A registered engine's declaration is found by its name."""
    assert declaration_of("Declared") is Declared.declaration
    assert engine_names() == tuple(sorted({"Declared", "Silent", *BUILT_IN}))


@pytest.mark.usefixtures("registered")
def test_a_plug_in_without_declaration_is_broken() -> None:
    """A registered object that declares nothing is an error that names the package."""
    with pytest.raises(PluginBroken, match="no attribute `declaration`"):
        declaration_of("Silent")


def test_frozen_sampling_is_set_at_load_and_only_a_seed_goes_with_requests() -> None:
    """A server that keeps its first request's sampling does not get it again; a seed is of each request."""
    configuration = Configuration(engine={"n_ctx": 512}, sampling={"temperature": 0.5, "seed": 3})
    frozen = dataclasses.replace(LLAMACPP, freezes_sampling=lambda _: True)
    assert frozen.request_part(configuration) == {"seed": 3}
    assert frozen.load_part(configuration) == {"engine.n_ctx": 512, "sampling.temperature": 0.5}
    assert LLAMACPP.request_part(configuration) == {"temperature": 0.5, "seed": 3}
    assert LLAMACPP.load_part(configuration) == {"engine.n_ctx": 512}


def test_a_default_is_held_in_its_declared_kind():
    """1 where a float is declared is 1.0, whether it was filled in or given."""
    parameters = by_full_name([set_at_load("rate", "float", "how much", default=1)])
    for flat in ({}, {"engine.rate": 1}):
        assert repr(completed(Configuration.from_flat(flat), parameters)["engine.rate"]) == "1.0"


@pytest.mark.parametrize("text", ["$(SECRET)", "cuda:$(SECRET)", "$$(SECRET)"])
def test_a_variables_expansion_is_no_value_of_an_engine(text: str) -> None:
    """Kubernetes would replace it by a variable, in whatever arguments it reached."""
    device = declaration_of("transformers")
    assert device is not None
    with pytest.raises(ValueError, match=r"text without \$\("):
        device.parameters["engine.device"].parse(text)
    assert device.parameters["engine.device"].parse("cuda:1") == "cuda:1"
