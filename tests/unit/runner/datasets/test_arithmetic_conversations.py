"""Sums that go on: whether each turn's answer follows from the one before."""

import re

import pytest

from llmopt_runner.datasets.arithmetic_conversations import arithmetic_conversations
from llmopt_runner.quality.numbers import answered_number


@pytest.fixture(scope="module")
def items():
    return arithmetic_conversations().items(2000, seed=3)


def test_answers_are_right(items):
    """Each turn adds to the last result or takes from it, and its answer is that equation."""
    for item in items:
        first, second = map(int, re.search(r"(\d+) \+ (\d+)", item.question).groups())
        result = first + second
        assert answered_number(item.answer) == result
        for turn in item.later:
            verb, number = re.fullmatch(r"Now (add|subtract) (\d) (?:to|from) it\.", turn.question).groups()
            before, result = result, result + (int(number) if verb == "add" else -int(number))
            assert result >= 0
            assert turn.answer == f"{before} {'+' if verb == 'add' else '-'} {number} = {result}"


def test_more_than_any_manifest_asks_for():
    """Ten thousand search, ten thousand held-out and all few-shot items can be made."""
    assert sum(map(len, arithmetic_conversations().split(10_000, 10_000, 0))) == 20_032


def test_conversations_are_distinct(items):
    """No two begin alike, so that no server has seen a prompt before."""
    assert len({item.question for item in items}) == len({item.id for item in items}) == 2000
    assert {len(item.later) for item in items} == {2}
