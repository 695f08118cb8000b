"""Prompts that are asked to be too long before anything is sent."""

from pathlib import Path

import pytest

from llmopt_core.errors.classes import ErrorClass
from llmopt_core.search.configurations import Configuration
from llmopt_runner.load.requests import ChatRequest
from llmopt_runner.trial.prompt_lengths import too_long

MODEL = Path("/model")


class Words:
    """Stands for an engine whose tokens are words; `known` False: it cannot say them."""

    def __init__(self, context=10, *, known=True):
        self.context = context
        self.known = known
        self.counted = []

    def context_tokens(self, _model):
        return self.context

    def count_tokens(self, _model, prompts):
        self.counted += prompts
        return [len(prompt.split()) for prompt in prompts] if self.known else None


def requests(*lengths):
    return [
        ChatRequest(str(place), ({"role": "user", "content": "word " * length},), 4)
        for place, length in enumerate(lengths)
    ]


def test_prompts_beyond_the_context_are_reported_with_their_numbers():
    """How many, how long, and what the model takes; what shortens them comes with the trial's value."""
    found = too_long(Words(), MODEL, requests(4, 10, 12), Configuration(prompt={"few_shot": 3}))
    assert found.error_class is ErrorClass.KV_CACHE_TOO_SMALL
    assert found.message == (
        "2 of 3 prompts do not fit into the model's context of 10 tokens: the longest has 12"
    )
    assert found.suggestion.startswith("lower prompt.few_shot (3), leave items of 10 tokens and more out")


def test_a_prompt_without_examples_is_not_advised_to_have_fewer():
    """A suggestion can be followed."""
    assert "few_shot" not in too_long(Words(), MODEL, requests(12), Configuration()).suggestion


def test_all_messages_of_a_prompt_count():
    """Examples are turns of their own."""
    turns = tuple({"role": "user", "content": "word " * 4} for _ in range(3))
    assert too_long(Words(), MODEL, [ChatRequest("a", turns, 4)], Configuration()) is not None


def test_a_workload_of_short_prompts_is_not_counted():
    """A token has a byte at least: what has fewer bytes than the context has tokens fits."""
    engine = Words(context=100)
    assert too_long(engine, MODEL, requests(1, 4, 19, 20), Configuration()) is None
    assert [len(prompt) for prompt in engine.counted] == [100]


@pytest.mark.parametrize(
    ("engine", "model"),
    [(Words(), None), (Words(context=None), MODEL), (Words(known=False), MODEL)],
    ids=["a model that is not here yet", "a server that looks itself", "a tokenizer that is not there"],
)
def test_what_is_not_known_is_not_refused(engine, model):
    """Then the server's own counts say it afterwards."""
    assert too_long(engine, model, requests(50), Configuration()) is None
