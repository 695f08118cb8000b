import re
from operator import add, mul, sub

import pytest

from llmopt_runner.datasets.arithmetic import arithmetic
from llmopt_runner.quality.numbers import answered_number

_OPERATIONS = {"+": add, "-": sub, "x": mul}


@pytest.fixture(scope="module")
def items():
    return arithmetic().items(5000, seed=3)


def test_answers_are_right(items):
    """Each expected answer is the equation of the question with what the operation gives."""
    for item in items:
        first, sign, second = re.search(r"(\d+) ([-+x]) (\d+)", item.question).groups()
        value = _OPERATIONS[sign](int(first), int(second))
        assert item.answer == f"{first} {sign} {second} = {value}"
        assert answered_number(item.answer) == value


def test_items_are_distinct(items):
    """Five thousand items are five thousand questions with as many ids."""
    assert len({item.question for item in items}) == len({item.id for item in items}) == 5000


def test_more_than_any_manifest_asks_for():
    """Ten thousand search, ten thousand held-out and all few-shot items can be made."""
    assert sum(map(len, arithmetic().split(10_000, 10_000, 0))) == 20_032


def test_mix_of_kinds_is_the_same_in_each_part():
    """Where the parts are whole rounds of ten, search and held-out items have the same share of each kind."""
    search, held_out, _ = arithmetic().split(40, 40, 5)
    assert sorted(item.kind for item in search) == sorted(item.kind for item in held_out)
