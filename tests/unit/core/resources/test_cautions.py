"""What is valid and probably not meant."""

from typing import Any

import pytest
from fakes.manifests import benchmark, changed, optimization

from llmopt_core.resources import resource_of
from llmopt_core.resources.cautions import cautions_of


def _of(enqueued: int, started_from: int, trials: int) -> tuple[str, ...]:
    document: dict[str, Any] = changed(optimization(), "spec.budget.trials", trials)
    entries = [{"sampling.temperature": f"0.{place}"} for place in range(enqueued)]
    document = changed(document, "spec.search.enqueue", entries)
    others = [{"name": f"other-{place}"} for place in range(started_from)]
    document = changed(document, "spec.search.warmStartFrom", others)
    return tuple(str(caution) for caution in cautions_of(resource_of(document)))


@pytest.mark.parametrize(
    ("enqueued", "started_from", "trials"), [(0, 0, 1), (3, 0, 4), (3, 1, 9), (0, 2, 11)]
)
def test_what_the_budget_holds_needs_no_warning(enqueued: int, started_from: int, trials: int) -> None:
    """The default, what is enqueued and what is taken over all get a trial."""
    assert _of(enqueued, started_from, trials) == ()


def test_enqueued_configurations_beyond_the_budget_are_warned_of() -> None:
    """Those that are never tried, and the field that decides it."""
    (caution,) = _of(4, 0, 4)
    assert caution.startswith("warning: spec.search.enqueue: 4 configurations are given")
    assert "leaves 3 of them a trial" in caution
    assert "raise spec.budget.trials (4" in caution


def test_inherited_configurations_beyond_the_budget_are_warned_of() -> None:
    """From each study up to five are taken over."""
    (caution,) = _of(1, 2, 11)
    assert caution.startswith("warning: spec.search.warmStartFrom: up to 10 configurations are taken over")
    assert "leaves 9 of them a trial" in caution


def test_a_benchmark_has_no_such_budget() -> None:
    """Its repeats are the budget."""
    assert cautions_of(resource_of(benchmark())) == ()
