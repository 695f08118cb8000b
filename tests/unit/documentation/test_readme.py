"""The README states what benchmarks measured and what is there."""

import re

import pytest
from documentation.pages import ROOT

from llmopt_core.engines.registry import BUILT_IN

README = (ROOT / "README.md").read_text()
RESULTS = ROOT / "bench/results"


FIGURES = {
    "8 ms of the framework's own time per trial": ("2026-11-23-two-cores.md", r"2,000 \| 1 \|[^|]*\| 8\.4 "),
    "32 ms from an emergency": ("2026-11-23-engines-and-memory.md", r"EMERGENCY to no process [^|]*\| 32 \|"),
    "3.9 s from `kubectl apply`": ("2026-11-23-operator.md", r"3\.9 s in all"),
    "10 of 10 runs [found a significant gain]": (
        "2026-11-26-quickstart.md",
        r"10 of 10 found a significant gain",
    ),
}


@pytest.mark.parametrize(("said", "measured"), FIGURES.items(), ids=FIGURES)
def test_a_figure_was_measured(said, measured):
    """The README says it, and the page has it."""
    page, row = measured
    assert said in README.replace("\n", " ")
    assert re.search(row, (RESULTS / page).read_text())


def test_the_result_is_that_of_the_recorded_quickstart():
    """Headline and table agree with each other: means, changes and intervals."""
    rows = re.findall(
        r"^(\w+) +([\d.,]+) +([\d.,]+) +([+-][\d.,]+)( %)? ", README.partition("verdict\n")[2], re.MULTILINE
    )
    assert len(rows) == 6
    for name, baseline, best, change, share in rows:
        first, second = (float(value.replace(",", "")) for value in (baseline, best))
        computed = (second / first - 1) * 100 if share else second - first
        assert computed == pytest.approx(float(change), abs=1.0 if share else 0.001), name
    assert f"{rows[0][0]} {rows[0][3]}" in README.partition("metric  ")[0]


@pytest.mark.parametrize("name", ["README.md", "README.ko.md"])
def test_every_engine_has_its_row(name):
    """What can be started or asked is in the table of engines, and nothing else."""
    rows = re.findall(r"^\| `(\w+)` \|", (ROOT / name).read_text(), re.MULTILINE)
    assert sorted(rows) == sorted(BUILT_IN)
