"""Means and contrasts of measurements that come by engine start and item."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt_core.analysis.student import quantile
from llmopt_core.analysis.two_level import contrasts, crossed_mean, score_components, speed_components


def test_one_candidate_is_the_paired_t_test():
    """With a candidate and a baseline on shared starts it is Student's test of paired differences."""
    baseline, candidate = np.array([1.0, 1.4, 1.1, 1.3]), np.array([1.5, 1.8, 1.8, 1.7])
    cells = {(0, place): [value] for place, value in enumerate(baseline)}
    cells |= {(1, place): [value] for place, value in enumerate(candidate)}
    found = contrasts(cells)[1]
    pairs = candidate - baseline
    assert found.value == pytest.approx(pairs.mean())
    assert found.standard_error == pytest.approx(pairs.std(ddof=1) / 2)
    assert found.degrees == 3


@given(st.lists(st.floats(-100, 100), min_size=3, max_size=3))
def test_what_a_round_shares_does_not_matter(drifts):
    """A drift that all candidates of a round share leaves values and errors as they are."""
    values = {
        (candidate, round_): (candidate * round_ % 3) / 7 for candidate in range(3) for round_ in range(3)
    }
    still = contrasts({cell: [value] for cell, value in values.items()})
    moved = contrasts({cell: [value + drifts[cell[1]]] for cell, value in values.items()})
    for candidate in (1, 2):
        assert moved[candidate].value == pytest.approx(still[candidate].value, abs=1e-9)
        assert moved[candidate].standard_error == pytest.approx(still[candidate].standard_error, abs=1e-9)


@given(st.floats(-10, 10))
def test_a_straight_drift_does_not_matter(slope):
    """What changes evenly with time leaves values and errors as they are."""
    values = {
        (candidate, round_): (candidate * round_ % 3) / 7 for candidate in range(2) for round_ in range(4)
    }
    when = {cell: float(place) for place, cell in enumerate(values)}
    still = contrasts({cell: [value] for cell, value in values.items()}, when=when)[1]
    drifted = {cell: [value + slope * when[cell]] for cell, value in values.items()}
    moved = contrasts(drifted, when=when)[1]
    assert moved.value == pytest.approx(still.value, abs=1e-8)
    assert moved.standard_error == pytest.approx(still.standard_error, abs=1e-8)
    assert moved.degrees == 5


def test_candidates_that_stopped_still_count_for_the_spread():
    """A candidate of two rounds of four adds its degree of freedom to the others' comparisons."""
    full = {(candidate, round_): [0.1 * candidate * round_] for candidate in (0, 1) for round_ in range(4)}
    longer = full | {(2, 0): [0.3], (2, 1): [0.1]}
    assert contrasts(full)[1].degrees == 3
    assert contrasts(longer)[1].degrees == 4


def test_one_round_has_no_error():
    """From a single round nothing is known of the spread."""
    assert contrasts({(0, 0): [1.0], (1, 0): [2.0]}) == {}
    assert speed_components({}) is None


def test_the_variance_divides_into_start_block_and_time():
    """Planted spreads of starts, blocks and rounds are found again."""
    generator = np.random.default_rng(3)
    cells = {}
    for round_ in range(60):
        drift = generator.normal(0, 0.2)
        for candidate in range(3):
            start = drift + generator.normal(0, 0.05)
            cells[candidate, round_] = list(start + generator.normal(0, 0.1, 4))
    found = speed_components(cells)
    assert found.start**0.5 == pytest.approx(0.05, rel=0.4)
    assert found.item**0.5 == pytest.approx(0.1, rel=0.2)
    assert found.time**0.5 == pytest.approx(0.2, rel=0.35)


@pytest.mark.parametrize("start_spread", [0.0, 0.1])
@pytest.mark.parametrize("repeated", [True, False])
def test_a_mean_of_starts_and_items_holds_the_truth_as_often_as_it_says(start_spread, repeated):
    """Whether items come again on every start or not, and whether starts matter or not."""
    generator = np.random.default_rng(8)

    def misses():
        items = generator.normal(0, 0.4, 40)
        answers = {}
        for start in range(5):
            shift = generator.normal(0, start_spread)
            for item in range(40):
                own = items[item] if repeated else generator.normal(0, 0.4)
                answers[start, item if repeated else (start, item)] = shift + own + generator.normal(0, 0.1)
        found = crossed_mean(answers)
        return abs(found.value) > quantile(0.975, found.degrees) * found.standard_error

    assert np.mean([misses() for _ in range(200)]) < 0.05 + 4 * np.sqrt(0.05 * 0.95 / 200)


def test_a_few_equal_answers_are_not_exact():
    """Twelve pairs without a difference leave differences of some percent possible; a thousand do not."""
    few = crossed_mean({(start, item): 0.0 for start in range(2) for item in range(12)}, pseudo=1.0)
    many = crossed_mean({(start, item): 0.0 for start in range(2) for item in range(1000)}, pseudo=1.0)
    assert few.standard_error > 0.05
    assert many.standard_error < 0.002


def test_items_that_come_again_bring_nothing_new():
    """The items' part of the error stays, however many starts answer them."""
    again = crossed_mean({(start, item): item % 2 for start in range(4) for item in range(10)})
    fresh = crossed_mean({(start, (start, item)): item % 2 for start in range(4) for item in range(10)})
    assert again.floor == pytest.approx(again.standard_error)
    assert fresh.floor == 0


def test_one_start_or_one_item_has_no_error():
    """Both levels need two members."""
    assert crossed_mean({("start", item): 1.0 for item in range(9)}) is None
    assert crossed_mean({(start, "item"): 1.0 for start in range(9)}) is None
    assert crossed_mean({}) is None
    assert score_components({}) is None
