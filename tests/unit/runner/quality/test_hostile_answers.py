"""Answers are untrusted: whatever a model writes, scoring it ends soon and raises nothing."""

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt_runner.datasets.base import Item
from llmopt_runner.quality.choice import Choice
from llmopt_runner.quality.contains import Contains
from llmopt_runner.quality.exact import Exact
from llmopt_runner.quality.numeric import Numeric
from llmopt_runner.quality.reading.expressions import same_formula
from llmopt_runner.quality.token_f1 import TokenF1

_MOST_SECONDS = 5.0
_LENGTH = 60_000
# What the readers look for, over and over: a regular expression that tries all splits would never end.
_PIECES = [
    "9",
    "1,",
    "1 ",
    "(",
    "{",
    "\\frac{",
    "\\boxed{",
    "\\sqrt{",
    "\\",
    "answer is ",
    "answer to ",
    "**",
    "**a",
    "one ",
    "twenty-",
    "만",
    "삼만 ",
    "1만 ",
    "3/",
    "1.000.",
    "2^",
    "1e",
    "- ",
    " ",
    "\n",
    "(1)/",
    "√",
    "√9",
    "x+",
    "x^",
    "(x+",
    "2x/",
    "1 and ",
    "so ",
    "#### 1\n",
    "<answer>",
    "`",
    "_",
    "#",
    "> ",
    "x=",
    "a point one ",
    "1 half ",
    "between 1 and ",
    "not 1 ",
    "1분의 ",
    "=1",
    "1+",
    "①",
    "½",
    "²",
    "1\u202f",
    "{,}",
    "Paris ",
    "A ",
    "(A) ",
    "A. x\n",
    "B번",
    "not A ",
    "is ",
    "the capital is ",
    "은 ",
    "가 아니라 ",
    ", not a",
    "파리 ",
    "네, ",
    "yes no ",
    '"answer": ',
    "~~",
    "because ",
    "?",
    "or ",
    "오후 3시 ",
    "f\u0131ve ",
    "s\u0131x m\u0131ll\u0131on ",
    "a f\u0131fth ",
    "5 m\u0131ll\u0131on ",
    "3 m\u0131nus 2 ",
    "f\u0131rst option ",
    "option f\u0131ve ",
    "option \u0131 ",
    "(\u0130) ",
    "\u017feven ",
    "5 \u212a",
    "\ud7a3",
    "\x00",
]
_EVALUATORS = (Exact(), Numeric(), Choice(), Contains(), TokenF1())


def _score(evaluator, answer):
    choices = ("Paris", "12", "파리", "예") if isinstance(evaluator, Choice) else ()
    return asyncio.run(evaluator.score(Item("i", "?", "12", "k", choices), answer))


@pytest.mark.parametrize("piece", _PIECES, ids=ascii)
def test_a_huge_answer_is_scored_soon(piece):
    """60,000 characters of one pattern take a bounded time and get a score from 0 to 1."""
    answer = piece * (_LENGTH // len(piece))
    for evaluator in _EVALUATORS:
        began = time.perf_counter()
        assert 0 <= _score(evaluator, answer) <= 1
        assert time.perf_counter() - began < _MOST_SECONDS


@given(st.lists(st.sampled_from(_PIECES), max_size=40).map("".join))
def test_any_mixture_gets_a_score(answer):
    """Pieces of all that is read, in any order, give a score and no exception."""
    assert all(0 <= _score(evaluator, answer) <= 1 for evaluator in _EVALUATORS)


@given(st.text(max_size=300), st.text(min_size=1, max_size=60))
def test_any_text_against_any_expectation(answer, expected):
    """Neither the answer nor the expected text can break a comparison."""
    for evaluator in (Exact(), Contains(), TokenF1()):
        assert 0 <= asyncio.run(evaluator.score(Item("i", "?", expected, "k"), answer)) <= 1


@pytest.mark.parametrize("expected", ["\u017feptember 5", "f\u0131ve", "\u017feven m\u0131llion", "5 \u212a"])
def test_letters_that_only_patterns_take_for_others_break_no_comparison(expected):
    """A dotless i, a long s and a Kelvin sign match i, s and k without their case, and are no such letter."""
    for evaluator in (Exact(), Contains(), TokenF1(), Numeric()):
        for answer in ("May 3", "seven", expected.upper()):
            assert 0 <= asyncio.run(evaluator.score(Item("i", "?", expected, "k"), answer)) <= 1


@given(st.text("0123456789.xyπ√+-*/^()= ", max_size=110), st.text("01x+-*/^()=√", max_size=40))
def test_any_formula_is_read_or_is_none(given_text, expected):
    """Whatever is made of the signs of formulas is compared without an exception."""
    same_formula(expected, given_text)
    same_formula(given_text, given_text)
