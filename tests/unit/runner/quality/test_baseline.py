"""A baseline that scores the same on everything is warned of before the search."""

import pytest

from llmopt_runner.datasets.base import Item
from llmopt_runner.quality.baseline import baseline_warning

_ITEMS = [Item(f"i{number}", "?", "예", "k") for number in range(4)]


def _warning(*scores, answer="yes, it is"):
    by_item = {item.id: score for item, score in zip(_ITEMS, scores, strict=False)}
    return baseline_warning(_ITEMS, by_item, dict.fromkeys(by_item, answer))


def test_nothing_right_names_an_answer_and_what_to_do():
    """Where all answers score 0, the first is shown beside what was expected, with what to change."""
    warning = _warning(0.0, 0.0, 0.0, 0.0)
    assert "scored 0 on all 4 items (expected '예', answered 'yes, it is')" in warning
    assert "workload.evaluator.name" in warning
    assert "workload.maxTokens" in warning


def test_everything_right_says_that_only_losses_show():
    """Where all answers score 1, a better configuration cannot be found by quality."""
    assert "scored 1 on all 4 items" in _warning(1.0, 1.0, 1.0, 1.0)


@pytest.mark.parametrize("scores", [(0.0, 0.0, 0.0, 1.0), (0.5, 0.5, 0.5, 0.5), (0.0, 0.0, 0.0), ()])
def test_scores_that_differ_are_not_warned_of(scores):
    """Scores that differ, are partial or are few give no warning."""
    assert _warning(*scores) is None


def test_a_long_answer_is_shown_in_part():
    """A message holds the beginning of an answer, however long it is."""
    assert len(_warning(0.0, 0.0, 0.0, 0.0, answer="\x1b[31m" + "x" * 10_000)) < 500
