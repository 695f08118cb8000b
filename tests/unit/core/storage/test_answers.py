"""What of a trial's answers and of a study's questions is stored."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt_core.storage.answers import MOST_ITEMS, Question, kept_answers, kept_question
from llmopt_core.storage.documents import dump
from llmopt_core.storage.records import Answer, Phase

KIB = 1024


def test_answers_are_kept_in_order_with_their_scores():
    """An item without a score has none, and what is short is kept whole."""
    kept = kept_answers({"b": "two", "a": ""}, {"b": 1.0}, Phase.BASELINE)
    assert kept == (Answer("b", "two", 1.0), Answer("a", ""))


@pytest.mark.parametrize(
    ("phase", "most"), [(Phase.BASELINE, 32), (Phase.CONFIRM, 32), (Phase.SEARCH, 8)], ids=str
)
def test_long_answers_are_cut_and_together_limited(phase, most):
    """Of each the first 2 KiB are kept, of a search's trial 16 KiB and of the few others 64 KiB."""
    kept = kept_answers({str(place): "x" * 5000 for place in range(99)}, {}, phase)
    assert len(kept) == most
    assert all(answer.cut and answer.text == "x" * 2 * KIB for answer in kept)


def test_no_more_than_a_hundred_items_are_kept():
    """However short their answers are."""
    assert len(kept_answers({str(place): "" for place in range(500)}, {}, Phase.BASELINE)) == MOST_ITEMS


def test_a_cut_never_splits_a_character():
    """Three bytes of a Korean syllable stay together."""
    (answer,) = kept_answers({"a": "가" * 1000}, {}, Phase.SEARCH)
    assert answer.text == "가" * 682
    assert answer.cut


@given(st.dictionaries(st.text(max_size=300), st.text(max_size=3000), max_size=20))
def test_whatever_a_server_answers_can_be_stored(texts):
    """Control characters and halves of surrogate pairs make a document that is valid and limited."""
    document = dump(kept_answers(texts, {}, Phase.SEARCH))
    assert isinstance(json.loads(document), list)
    assert len(document.encode()) < 6 * 16 * KIB + 20 * 2 * KIB


def test_a_half_of_a_surrogate_pair_is_not_called_a_cut():
    """It is replaced, and nothing else is missing."""
    (answer,) = kept_answers({"a": "x\ud800"}, {}, Phase.SEARCH)
    assert answer == Answer("a", "x?")


def test_long_questions_are_cut():
    """Question, expected answer and identifier each have a limit."""
    assert kept_question("i" * 999, "q" * 9999, "e" * 999) == Question("i" * 256, "q" * 2048, "e" * 512)
