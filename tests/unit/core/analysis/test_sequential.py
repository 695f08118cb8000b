"""The boundary for repeated looks keeps one error rate over candidates, objectives and looks."""

import numpy as np
import pytest

from llmopt_core.analysis.sequential import Boundary, boundary
from llmopt_core.analysis.two_level import contrasts


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize(("candidates", "rounds"), [(1, 4), (3, 4)])
def test_a_study_without_effects_crosses_as_often_as_the_error_rate(candidates, rounds, shared):
    """Of 600 studies that look after each round, about 5 % cross the boundary at some look."""
    generator = np.random.default_rng(5)
    bound = boundary(candidates, 1, rounds, shared=shared)

    def crosses():
        cells, when, slope = {}, {}, generator.normal(0, 5)
        for round_ in range(rounds):
            drift = generator.normal(0, 5)
            order = range(candidates + 1)
            for candidate in reversed(order) if round_ % 2 else order:
                when[candidate, round_] = float(len(when))
                moved = drift if shared else slope * len(when)
                cells[candidate, round_] = [moved + generator.normal()]
            if round_ + 1 < bound.first_look:
                continue
            for found in contrasts(cells, when=None if shared else when).values():
                if abs(found.value) > bound.reach(found.degrees) * found.standard_error:
                    return True
        return False

    rate = np.mean([crosses() for _ in range(600)])
    assert rate == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / 600))


def test_more_comparisons_and_looks_are_tested_more_strictly():
    """Each comparison's level falls with the numbers of candidates, objectives and looks."""
    assert boundary(1, 1, 4).level > boundary(2, 1, 4).level > boundary(2, 2, 4).level
    assert boundary(2, 2, 4).level > boundary(2, 2, 8).level


def test_a_single_look_is_an_ordinary_test():
    """With two rounds there is one look, at the stated confidence."""
    assert boundary(1, 1, 2).level == pytest.approx(0.05, abs=0.001)


def test_a_look_with_one_degree_of_freedom_is_skipped():
    """One candidate after two rounds cannot be decided, several can."""
    assert boundary(1, 1, 5).first_look == 3
    assert boundary(2, 1, 5).first_look == 2


def test_what_ends_early_has_used_less_of_the_error_rate():
    """Each look has a level for the looks up to it: the first one's is that of a single test."""
    bound = boundary(1, 1, 6)
    assert list(bound.spent) == sorted(bound.spent, reverse=True)
    assert bound.spent[0] == pytest.approx(0.05, abs=0.001)
    assert bound.spent[-1] == bound.level
    assert bound.last_reach(5, bound.first_look) < bound.last_reach(5, 5) < bound.reach(5)
    assert bound.last_reach(5, 6) == bound.reach(5)


def test_a_boundary_of_one_look_reports_at_its_level():
    """Without looks to come there is one level."""
    single = Boundary(0.05, 4)
    assert single.last_reach(5, 4) == single.reach(5)


def test_less_than_two_rounds_have_no_boundary():
    """From one round no spread is known."""
    with pytest.raises(ValueError, match="no boundary"):
        boundary(1, 1, 1)
