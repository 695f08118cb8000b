"""What a status says of searches for the highest load, and how people read it."""

from dataclasses import replace

import pytest
from fakes.records import outcome, trial

from llmopt_core.resources.status import OptimizationStatus
from llmopt_core.results.load_curves import level_text, load_text, probe_verdict, searched_loads
from llmopt_core.storage.load_curves import LoadCurve, LoadProbe
from llmopt_core.storage.records import Phase

PROBES = (
    LoadProbe(8.0, 40, 120, 2.5, 5.1, stopped=True),
    LoadProbe(4.0, 118, 120, 0.8, 4.0),
    LoadProbe(5.0, 110, 120, 1.2, 4.9),
)
CURVE = LoadCurve("rate", 0.95, 4.0, 4.0, 5.0, PROBES)


def trials(curve):
    ended = replace(outcome(), curve=curve)
    return [
        trial(0, ended, phase=Phase.BASELINE),
        trial(2, ended, phase=Phase.SEARCH),
        trial(3, ended, phase=Phase.SEARCH),
    ]


def test_the_curves_of_the_baseline_and_the_best_are_kept():
    """The lowest load comes first; each probe says how many requests kept the level, and how it ended."""
    baseline, best = searched_loads(trials(CURVE), 3)
    assert [(each.name, each.trial) for each in (baseline, best)] == [("baseline", 0), ("best", 3)]
    assert [probe.load for probe in best.probes] == [4.0, 5.0, 8.0]
    said = [probe_verdict(probe, best.attainment) for probe in best.probes]
    assert said == ["kept", "not kept", "stopped early"]
    assert load_text(best) == "4 requests/s (4 to 5)"
    assert level_text(best) == "95 % of the requests keep the service level"


def test_a_baseline_that_is_best_is_kept_once():
    """Nothing is shown twice, and nothing of studies without such a search."""
    assert [each.name for each in searched_loads(trials(CURVE), 0)] == ["baseline"]
    assert searched_loads(trials(None), 3) == []


@pytest.mark.parametrize(
    ("curve", "text"),
    [
        (
            replace(CURVE, by="concurrency", high=None),
            "at least 4 requests in flight (no end was found)",
        ),
        (
            replace(CURVE, value=0.0, low=0.0, high=4.0),
            "none from 4 requests/s on",
        ),
    ],
)
def test_an_end_that_was_not_found_is_said(curve, text):
    """The highest load that may be tried still kept the level, or the lowest did not."""
    assert load_text(searched_loads(trials(curve), 3)[0]) == text


def test_a_curve_is_the_same_after_a_status_was_written_and_read():
    """What a cluster's status holds is what a local study shows."""
    status = OptimizationStatus(loads=searched_loads(trials(CURVE), 3))
    document = status.model_dump_json(by_alias=True)
    assert OptimizationStatus.model_validate_json(document).loads == status.loads
