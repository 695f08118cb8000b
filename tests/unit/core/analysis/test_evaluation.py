"""What an evaluation costs where the rows that it reads were forged."""

import tracemalloc

from fakes.records import outcome, trial

from llmopt_core.analysis import two_level
from llmopt_core.analysis.blocks import ComparedMetric
from llmopt_core.analysis.evaluation import evaluate
from llmopt_core.storage.records import MOST_CANDIDATES, MOST_REPEATS, ConfirmPlan, Phase

SPEED = "output_tokens_per_second"
LARGEST = ConfirmPlan(
    tuple({"engine.n": place} for place in range(MOST_CANDIDATES)),
    tuple(range(MOST_CANDIDATES)),
    MOST_REPEATS,
    level=0.001,
    first_look=2,
)


def test_the_largest_plan_takes_a_limited_amount_of_memory():
    """As many repeats as the API allows, and far more rows than that, are evaluated within megabytes."""
    trials = [
        trial(
            number,
            outcome(metrics={SPEED: 100.0 + number % 7}),
            phase=Phase.CONFIRM,
            candidate=number % (2 * MOST_CANDIDATES),
            repeat=number // (2 * MOST_CANDIDATES) % (2 * MOST_REPEATS),
        )
        for number in range(8 * MOST_CANDIDATES * MOST_REPEATS)
    ]
    two_level._design.cache_clear()
    tracemalloc.start()
    found = evaluate(LARGEST, trials, [ComparedMetric(SPEED, "maximize", "ratio")])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found.blocks) == MOST_CANDIDATES * MOST_REPEATS
    assert peak < 64 * 2**20


def test_what_is_remembered_of_many_plans_is_limited():
    """Designs of plans that differ in the order of their repeats are not kept without end."""
    cells = tuple((place, round_) for round_ in range(MOST_REPEATS) for place in range(MOST_CANDIDATES))
    largest = two_level._design(cells, None)
    size = sum(part.nbytes for part in (largest.columns, largest.solve, largest.unscaled))
    assert size * two_level._design.cache_info().maxsize < 64 * 2**20
