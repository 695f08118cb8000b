"""Requests to a server that runs already."""

from hypothesis import given
from hypothesis import strategies as st

from llmopt_core.engines.openai.declaration import OPENAI
from llmopt_core.search.configurations import Configuration, Value

SAMPLING = st.fixed_dictionaries(
    {},
    optional={
        "temperature": st.one_of(st.just(0), st.floats(0, 2)),
        "top_p": st.floats(0, 1),
        "seed": st.integers(0, 2**31 - 1),
        "top_k": st.integers(-1, 100),
        "min_p": st.floats(0, 1),
        "presence_penalty": st.floats(-2, 2),
    },
)


@given(SAMPLING)
def test_a_canonical_form_is_its_own(sampling: dict[str, Value]) -> None:
    """Canonical twice is canonical once."""
    once = OPENAI.canonical(Configuration(sampling=sampling))
    assert OPENAI.canonical(once) == once


def test_defaults_are_those_of_the_api() -> None:
    """What is not said is what OpenAI's reference says; a seed is not made up."""
    assert OPENAI.canonical(Configuration()).flat() == {
        "sampling.frequency_penalty": 0.0,
        "sampling.presence_penalty": 0.0,
        "sampling.temperature": 1.0,
        "sampling.top_p": 1.0,
    }


def test_greedy_drops_what_only_chooses_among_the_likely() -> None:
    """At temperature 0, top_p, top_k, min_p and a seed make no difference; penalties do."""
    greedy = OPENAI.canonical(Configuration(sampling={"temperature": 0}))
    tuned: dict[str, Value] = {"temperature": 0, "top_p": 0.4, "top_k": 3, "min_p": 0.1, "seed": 5}
    assert OPENAI.canonical(Configuration(sampling=tuned)).key() == greedy.key()
    penalised = Configuration(sampling={"temperature": 0, "presence_penalty": 1})
    assert OPENAI.canonical(penalised).key() != greedy.key()


def test_extensions_must_be_said_to_be_taken() -> None:
    """A field beyond OpenAI's own is refused until the manifest says that the endpoint takes it."""
    asked: dict[str, Value] = {"top_k": 5, "min_p": 0.1, "top_p": 0.9}
    conflicts = OPENAI.conflicts(Configuration(sampling=asked))
    assert ["top_k" in conflicts[0], "min_p" in conflicts[1], len(conflicts)] == [True, True, 2]
    said = Configuration(engine={"sampling_extensions": "min_p, top_k"}, sampling=asked)
    assert OPENAI.conflicts(said) == ()


def test_nothing_of_the_server_can_be_tuned() -> None:
    """No parameter of the engine group but the one that says what the endpoint takes."""
    engine = [name for name in OPENAI.parameters if name.startswith("engine.")]
    assert engine == ["engine.sampling_extensions"]
    assert not OPENAI.needs_model_file
