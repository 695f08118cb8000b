"""Where the variance of measurements comes from, and what would help."""

import numpy as np
import pytest

from llmopt_core.analysis.blocks import Block, ComparedMetric, Slot
from llmopt_core.analysis.variances import Remedy, VarianceSplit, split_variances

SPEED = ComparedMetric("requests_per_second", "maximize", "ratio")
ACCURACY = ComparedMetric("accuracy", "maximize", "bounded", per_item=True)
ROUNDS, CANDIDATES, BLOCKS = 8, 2, 3


def speeds(*, start=0.0, block=0.0, time=0.0, one_start=False):
    """Return blocks of speeds with these spreads, three on each start."""
    generator, blocks = np.random.default_rng(5), []
    for round_ in range(ROUNDS):
        drift = generator.normal(0, time)
        for candidate in range(CANDIDATES):
            shift = drift + generator.normal(0, start)
            for number in range(BLOCKS):
                value = 10 * float(np.exp(shift + generator.normal(0, block)))
                name = 0 if one_start else round_ * CANDIDATES + candidate
                blocks.append(Block(Slot(round_, candidate, number), name, {SPEED.metric: value}))
    return blocks


@pytest.mark.parametrize(
    ("spreads", "part", "remedy"),
    [
        ({"start": 0.05, "block": 0.01}, "start", Remedy.MORE_STARTS),
        ({"start": 0.005, "block": 0.05}, "item", Remedy.MORE_ITEMS),
        ({"time": 0.1, "start": 0.01, "block": 0.01}, "time", Remedy.QUIETER_MACHINE),
    ],
)
def test_the_largest_part_is_found_and_says_what_helps(spreads, part, remedy):
    """Most of the variance is put where it was made."""
    (split,) = split_variances([SPEED], speeds(**spreads))
    assert split.start + split.item + split.time == pytest.approx(1.0)
    assert getattr(split, part) > 0.6
    assert split.remedy is remedy


def test_on_one_start_nothing_is_put_down_to_starts():
    """Candidates that share an engine are measured on one start: what varies are the repeats."""
    (split,) = split_variances([SPEED], speeds(block=0.03, one_start=True))
    assert split.start == 0.0


def test_scores_that_differ_by_item_ask_for_more_items():
    """The same items gain in every round: other items are what is not known."""
    blocks = [
        Block(Slot(round_, candidate), round_ * 2 + candidate, {}, scores)
        for round_ in range(4)
        for candidate, scores in enumerate(
            ({f"i{n}": 0.0 for n in range(10)}, {f"i{n}": float(n < 4) for n in range(10)})
        )
    ]
    (split,) = split_variances([ACCURACY], blocks)
    assert (split.item, split.remedy) == (1.0, Remedy.MORE_ITEMS)


def test_where_nothing_varies_nothing_is_said():
    """Equal values have no variance to divide."""
    assert split_variances([SPEED, ACCURACY], speeds()) == ()


def test_the_sentence_names_the_shares_and_what_helps():
    """A reader sees where the noise comes from, and what to do."""
    text = VarianceSplit("accuracy", 0.2, 0.7, 0.1).sentence
    assert text == (
        "accuracy: 20% of the variance of a repeat comes from engine starts, 70% from items and 10% from the"
        " time of measuring; more items would help most"
    )
