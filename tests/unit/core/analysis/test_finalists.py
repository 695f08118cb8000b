"""Which configurations are worth verifying."""

from hypothesis import given
from hypothesis import strategies as st

from llmopt_core.analysis.finalists import Contender, choose_finalists, is_clearly_better

EQUAL = (1.0, 1.0)
SMALLEST = (0.02, 0.02)


def contender(trial, *gains, error=0.01, feasible=True):
    return Contender(trial, gains, (error,) * len(gains), feasible)


def chosen(*contenders, weights=EQUAL):
    return [each.trial for each in choose_finalists(contenders, weights, SMALLEST)]


def test_the_best_by_weight_each_objectives_best_and_the_knee_are_chosen():
    """Four clearly different finalists, the best by the weights first."""
    found = chosen(
        contender(1, 0.9, -0.5),
        contender(2, -0.2, 0.5),
        contender(3, 0.4, 0.2),
        contender(4, 0.7, -0.05),
        contender(5, -0.1, 0.1),
        weights=(1.0, 1.0),
    )
    assert found == [4, 1, 2, 3]


def test_of_two_that_are_equal_within_noise_one_is_verified():
    """Neighbours of the best take no place from a configuration that differs."""
    assert chosen(contender(1, 0.30, 0.0), contender(2, 0.29, 0.01), contender(3, 0.0, 0.2)) == [1, 3]


def test_the_best_of_an_objective_is_verified_where_it_is_clearly_better():
    """Luck in one objective, paid for in another, is no reason to verify a configuration."""
    first = Contender(1, (0.30, 0.20), (0.05, 0.05))
    assert chosen(first, Contender(2, (0.35, -0.30), (0.05, 0.05))) == [1]
    assert chosen(first, Contender(2, (0.60, -0.30), (0.05, 0.05))) == [1, 2]


def test_what_breaks_a_constraint_or_gains_nothing_is_left_out():
    """Only feasible configurations with a gain somewhere are worth engine time."""
    assert chosen(contender(1, 0.9, 0.9, feasible=False), contender(2, -0.1, 0.0)) == []
    assert chosen() == []


contenders = st.lists(
    st.tuples(st.floats(-1, 1), st.floats(-1, 1), st.booleans()).map(
        lambda drawn: Contender(0, drawn[:2], (0.02, 0.05), drawn[2])
    ),
    max_size=12,
)


@given(contenders, st.integers(1, 5))
def test_finalists_are_few_feasible_and_all_different(found, most):
    """Whatever the search measured."""
    picked = choose_finalists(found, EQUAL, SMALLEST, most=most)
    assert len(picked) <= most
    assert all(each.feasible and max(each.gains) > 0 for each in picked)
    assert all(
        is_clearly_better(one, other, SMALLEST)
        for place, one in enumerate(picked)
        for other in picked[:place]
    )
