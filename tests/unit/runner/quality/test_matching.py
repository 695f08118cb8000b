"""The evaluators that compare an answer with the expected one."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt_core.metrics.catalog import CATALOG
from llmopt_runner.datasets.base import Item
from llmopt_runner.quality.base import EvaluatorInvalid
from llmopt_runner.quality.choice import Choice, picked
from llmopt_runner.quality.contains import Contains
from llmopt_runner.quality.exact import Exact
from llmopt_runner.quality.numeric import Numeric
from llmopt_runner.quality.token_f1 import TokenF1, token_f1

_ANIMALS = ("cat", "dog", "horse", "wild horse")


def _score(evaluator, expected, answer, choices=()):
    return asyncio.run(evaluator.score(Item("i", "?", expected, "k", choices), answer))


@pytest.mark.parametrize(
    ("evaluator", "expected", "answer", "score"),
    [
        (Exact(), "Paris", "paris.", 1),
        (Exact(), "Paris", "Paris, France", 0),
        (Exact(), "수요일", "정답은 수요일입니다.", 1),
        (Exact(), "수요일", "목요일", 0),
        (Exact(), "x", "", 0),
        (Contains(), "Paris", "It is Paris, of course", 1),
        (Contains(), "Paris", "It is London", 0),
        (Contains(), "12", "It is 112", 0),
        (Contains(), "12", "112 and 12", 1),
        (Contains(), "5월 3일", "답은 15월 3일", 0),
        (Contains(), "민수", "민수가 왔습니다", 1),
        (Numeric(), "4 + 7 = 11", "eleven, or 11", 1),
        (Numeric(), "11", "The answer is 12", 0),
        (Numeric(), "11", "no number", 0),
        (Numeric(), "35000", "3만 5천 원", 1),
        (TokenF1(), "the red car", "a red bus", 1 / 2),
        (TokenF1(), "Denver Broncos", "The Denver Broncos won.", 4 / 5),
        (TokenF1(), "well-known", "wellknown", 1),
        (TokenF1(), "red", "The answer is red.", 1 / 2),
        (TokenF1(), "red", "", 0),
        (TokenF1(), "red", "red red", 2 / 3),
    ],
)
def test_scores(evaluator, expected, answer, score):
    """Each evaluator gives the score that a person comparing both texts by its rule would give."""
    assert _score(evaluator, expected, answer) == pytest.approx(score)


@pytest.mark.parametrize(
    ("answer", "place"),
    [
        ("dog", 1),
        ("Dog.", 1),
        ("2", 1),
        ("(2)", 1),
        ("2.", 1),
        ("2번", 1),
        ("\u2461", 1),
        ("정답은 \u2461 dog입니다", 1),
        ("정답: 2번", 1),
        ("B", 1),
        ("b) dog", 1),
        ("나", 1),
        ("Option B", 1),
        ("The answer is B.", 1),
        ("It is the dog, I think", 1),
        ("a wild horse", 3),
        ("horse", 2),
        ("cat or dog", None),
        ("\u2460 or \u2461", None),
        ("5", None),
        ("0", None),
        ("mouse", None),
        ("", None),
        ("A mouse", None),
        ("3 mice", None),
    ],
)
def test_which_choice_is_picked(answer, place):
    """A choice is picked by text or place; what is unclear or out of range picks nothing."""
    assert picked(answer, _ANIMALS) == place


def test_text_comes_before_place():
    """Where the choices are numbers, a number is the choice that says it, not its place."""
    assert picked("2", ("4", "3", "2", "1")) == 2


def test_choice_scores_items_with_and_without_choices():
    """With choices the pick counts, without them the exact text; the expected answer may be a place too."""
    assert _score(Choice(), "dog", "B", _ANIMALS) == 1
    assert _score(Choice(), "2", "dog", _ANIMALS) == 1
    assert _score(Choice(), "dog", "cat", _ANIMALS) == 0
    assert _score(Choice(), "dog", "Dog!") == 1
    assert _score(Choice(), "dog", "mouse", _ANIMALS) == 0


@pytest.mark.parametrize(
    ("evaluator", "item", "reason"),
    [
        (Numeric(), Item("i7", "?", "red", "k"), "item i7 expects 'red', which holds no number"),
        (
            Choice(),
            Item("i7", "?", "mouse", "k", _ANIMALS),
            "item i7 expects 'mouse', which is none of its 4",
        ),
        (Contains(), Item("i7", "?", "?!", "k"), "item i7 expects .*which every answer contains"),
    ],
)
def test_items_that_cannot_be_scored_are_found_beforehand(evaluator, item, reason):
    """An item whose expected answer the evaluator cannot use is an error before anything is measured."""
    with pytest.raises(EvaluatorInvalid, match=reason):
        evaluator.check([item])


@given(st.text(max_size=60), st.text(max_size=60))
def test_f1_is_bounded_and_symmetric(first, second):
    """F1 lies from 0 to 1, is 1 for a text and itself, and does not care which text is which."""
    assert 0 <= token_f1(first, second) <= 1
    assert token_f1(first, second) == token_f1(second, first)
    assert token_f1(first, first) == 1


@given(st.lists(st.sampled_from("bcdefg"), min_size=1), st.lists(st.sampled_from("bcdefg"), min_size=1))
def test_f1_counts_shared_tokens(first, second):
    """F1 is the harmonic mean of the shares of shared tokens in both texts."""
    shared = sum(min(first.count(token), second.count(token)) for token in set(first))
    precision, recall = shared / len(second), shared / len(first)
    expected = 2 * precision * recall / (precision + recall) if shared else 0
    assert token_f1(" ".join(first), " ".join(second)) == pytest.approx(expected)


@given(st.sampled_from([Exact(), Contains(), Choice(), TokenF1(), Numeric()]), st.text(max_size=80))
def test_any_answer_gets_a_score(evaluator, answer):
    """Whatever a model answers, the score lies from 0 to 1."""
    for choices in ((), ("12", "13")):
        assert 0 <= _score(evaluator, "12", answer, choices) <= 1


@given(st.text(min_size=1, max_size=40))
def test_an_expected_answer_scores_itself(text):
    """A model that writes the expected answer word for word gets everything."""
    assert _score(Exact(), text, text) == 1
    assert _score(TokenF1(), text, text) == 1


def test_best_of_several_right_answers():
    """Where an item has several right answers, token F1 is that of the nearest, as in SQuAD."""
    item = Item("i", "?", "the United States of America", "k", alternatives=("the USA",))
    assert asyncio.run(TokenF1().score(item, "USA")) == 1


def test_no_metric_takes_a_name_of_the_evaluation_harness():
    """Names that lm-eval gives to metrics mean what they mean there: no other score has one of them."""
    theirs = {
        "acc",
        "acc_norm",
        "acc_bytes",
        "exact_match",
        "f1",
        "mcc",
        "bleu",
        "chrf",
        "ter",
        "brier_score",
    }
    theirs |= {
        "perplexity",
        "word_perplexity",
        "byte_perplexity",
        "bits_per_byte",
        "rouge1",
        "rouge2",
        "rougeL",
    }
    assert not theirs & set(CATALOG)
