"""The intervals of percentiles that a report shows."""

from dataclasses import replace
from types import SimpleNamespace

from fakes.records import outcome, trial

from llmopt.report.percentiles import percentile_tables
from llmopt_core.storage.records import Phase
from llmopt_core.storage.spreads import Spread

STATUS = SimpleNamespace(best=SimpleNamespace(trial=3))


def trials(**more):
    ended = replace(outcome(), **more)
    return [
        trial(0, ended, phase=Phase.BASELINE),
        trial(2, ended, phase=Phase.SEARCH),
        trial(3, ended, phase=Phase.SEARCH),
    ]


def test_percentiles_have_their_intervals():
    """A missing end is named, and so is how many independent requests an interval rests on."""
    spreads = {"ttft_ms_p999": Spread(80.0, None, 41.3), "e2e_ms_p50": Spread(1.0, 2.0, 9.0)}
    tables = percentile_tables(STATUS, trials(spreads=spreads, metrics={"ttft_ms_p999": 95.0}))
    assert [table.title for table in tables] == ["Baseline", "Best (trial 3)"]
    (row,) = tables[0].rows
    assert (row.metric, row.value, row.effective) == ("ttft_ms_p999", "95.0 ms", "41")
    assert row.interval == "80.0 to no upper end"


def test_without_intervals_no_table_is_shown():
    """Older studies have none."""
    assert percentile_tables(STATUS, trials()) == ()
