from dataclasses import replace

import pytest

from llmopt_core.search.configurations import Configuration
from llmopt_core.storage.documents import ENDINGS, Ending, dump, load
from llmopt_core.storage.measured_items import MeasuredItem, all_items, columns
from llmopt_core.storage.records import Outcome, OutcomeKind

ITEMS = (MeasuredItem(1.0, 120.5, 20.25, 30), MeasuredItem(None, 90.0))


def test_items_are_put_in_order_of_their_places():
    """Answers end in any order; the columns have that of the items, and none where an item is missing."""
    measured = {1: ITEMS[1], 0: ITEMS[0]}
    assert all_items(measured, 2, 4) == columns(ITEMS, 4)
    assert all_items(measured, 3, 4) is None


@pytest.mark.parametrize("concurrency", [4, None])
def test_items_are_stored_with_the_trial(concurrency):
    """What is read back is what was measured."""
    outcome = Outcome(OutcomeKind.MEASURED, Configuration(), items=columns(ITEMS, concurrency))
    assert load(ENDINGS, dump(Ending(outcome)), "an ending").outcome == outcome
    bare = replace(outcome, items=None)
    assert load(ENDINGS, dump(Ending(bare)), "an ending").outcome == bare
