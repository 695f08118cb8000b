"""What the report shows of loads: probes for the highest rate, and intervals of percentiles."""

from dataclasses import replace
from types import SimpleNamespace

from fakes.records import outcome, trial

from llmopt.report.load_curves import load_tables
from llmopt.report.percentiles import percentile_tables
from llmopt_core.storage.load_curves import LoadCurve, LoadProbe
from llmopt_core.storage.records import Phase
from llmopt_core.storage.spreads import Spread

PROBES = (
    LoadProbe(8.0, 40, 120, 2.5, 5.1, stopped=True),
    LoadProbe(4.0, 118, 120, 0.8, 4.0),
    LoadProbe(5.0, 110, 120, 1.2, 4.9),
)
CURVE = LoadCurve("rate", 0.95, 4.0, 4.0, 5.0, PROBES)
STATUS = SimpleNamespace(best=SimpleNamespace(trial=3))


def trials(**more):
    ended = replace(outcome(), **more)
    return [
        trial(0, ended, phase=Phase.BASELINE),
        trial(2, ended, phase=Phase.SEARCH),
        trial(3, ended, phase=Phase.SEARCH),
    ]


def test_the_probes_of_the_baseline_and_the_best_are_shown_by_load():
    """Each probe says how many requests kept the level; the result has its interval."""
    baseline, best = load_tables(STATUS, trials(curve=CURVE))
    assert (baseline.title, best.title) == ("Baseline", "Best (trial 3)")
    assert [row.load for row in best.rows] == ["4", "5", "8"]
    assert [row.verdict for row in best.rows] == ["kept", "not kept", "stopped early"]
    assert best.rows[0].kept == "118 of 120"
    assert best.result.startswith("4 requests/s (4 to 5), of which 95 %")


def test_percentiles_have_their_intervals():
    """A missing end is named, and so is how many independent requests an interval rests on."""
    spreads = {"ttft_ms_p999": Spread(80.0, None, 41.3), "e2e_ms_p50": Spread(1.0, 2.0, 9.0)}
    tables = percentile_tables(STATUS, trials(spreads=spreads, metrics={"ttft_ms_p999": 95.0}))
    (row,) = tables[0].rows
    assert (row.metric, row.value, row.effective) == ("ttft_ms_p999", "95.0 ms", "41")
    assert row.interval == "80.0 to no upper end"


def test_other_studies_have_neither():
    """Without a search for the highest rate, and without intervals, no table is shown."""
    assert load_tables(STATUS, trials()) == percentile_tables(STATUS, trials()) == ()
