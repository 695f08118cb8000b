"""Prompts that all begin alike: how much of each, and what is left as it is."""

import pytest

from llmopt_runner.datasets.base import Item, Traced
from llmopt_runner.load.requests import ChatRequest
from llmopt_runner.trial.shared_prefixes import begun_alike, own_tokens

SYSTEM = {"role": "system", "content": "Be brief."}


def request(text):
    return ChatRequest("a", (SYSTEM, {"role": "user", "content": text}), 8)


def begun(text, share, traced=None):
    return begun_alike(request(text), Item("a", text, "", "k", traced=traced), share)


@pytest.mark.parametrize("share", [0.1, 0.6, 0.9, 0.99])
@pytest.mark.parametrize("length", [40, 999])
def test_the_prefix_is_the_share_of_the_whole_message(share, length):
    """The item's own text follows whole; other messages stay as they are."""
    made = begun("x" * length, share)
    text = made.messages[-1]["content"]
    assert made.shared_characters / len(text) == pytest.approx(share, abs=0.05)
    assert text[made.shared_characters :] == "\n\n" + "x" * length
    assert made.messages[0] == SYSTEM


def test_a_shorter_prefix_begins_a_longer_one():
    """Prompts of different lengths share as much as the shorter one has."""
    short, long = begun("x" * 40, 0.6), begun("y" * 400, 0.6)
    shared = short.messages[-1]["content"][: short.shared_characters]
    assert long.messages[-1]["content"].startswith(shared)


def test_no_share_changes_nothing():
    """A request without a shared prefix is sent as it is."""
    assert begun("What is 1 + 1?", 0.0) == request("What is 1 + 1?")


def test_a_share_of_a_trace_is_a_part_of_its_length():
    """Of 90 tokens 30 are shared and 60 its own; one that names its shared parts gets nothing more."""
    traced = Traced(0.0, prompt_tokens=90)
    assert own_tokens(Item("a", "", "", "k", traced=traced), 1 / 3) == 60
    made = begun("own " * 60, 1 / 3, traced)
    assert len(made.messages[-1]["content"].split()) == 90
    named = Traced(0.0, prompt_tokens=90, blocks=("0",))
    assert own_tokens(Item("a", "", "", "k", traced=named), 1 / 3) == 90
    assert begun("own", 1 / 3, named) == request("own")
