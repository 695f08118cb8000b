"""A benchmark's outcome in words, for people and for other programs."""

import json

import pytest
from fakes.comparisons import FASTER, SPEED, comparison, measured
from fakes.records import outcome

from llmopt_core.analysis.comparison import compare
from llmopt_core.results.benchmark_wording import (
    benchmark_headline,
    benchmark_text,
    difference_verdict,
    how_sure,
    mean_interval_text,
    mean_text,
)
from llmopt_core.results.benchmarks import BenchmarkResult
from llmopt_core.results.wording import gain_text, interval_text


def result(*speeds, ended=True, names=("default", "a", "b")):
    asked = comparison(*names[: len(speeds)], repeats=len(speeds[0]))
    finding = compare(asked, FASTER, measured(*speeds), ended=ended)
    return BenchmarkResult("mine", "TrialsExhausted" if ended else None, "all done", finding)


CLEAR = result([50, 51, 49, 50, 52], [60, 61.5, 59, 60.5, 62], [40, 41, 39, 40, 41])


def test_numbers_are_told_with_their_intervals():
    """A mean has its interval, a difference its own, in the words of an optimization's gain."""
    better = CLEAR.candidate("a")
    assert mean_text(better.metrics[SPEED]) == "60.6"
    assert mean_interval_text(better.metrics[SPEED]).startswith("58.")
    assert gain_text(better.against_baseline[SPEED]) == "+20.2 %"
    assert interval_text(better.against_baseline[SPEED]).endswith(" %")
    verdicts = [difference_verdict(each.against_baseline.get(SPEED)) for each in CLEAR.candidates]
    assert verdicts == ["", "better, significant", "worse, significant"]


def test_what_is_missing_is_empty():
    """A single repeat has no interval, a candidate without repeats has nothing."""
    single = result([50.0], [60.0]).candidate("a")
    assert (mean_text(single.metrics[SPEED]), mean_interval_text(single.metrics[SPEED])) == ("60.0", "")
    assert gain_text(single.against_baseline.get(SPEED)) == ""
    assert mean_text(None) == mean_interval_text(None) == interval_text(None) == ""


def test_a_headline_begins_like_a_sentence_or_a_name():
    """The winner's name is written as it is; everything else as a sentence."""
    assert benchmark_headline(CLEAR).startswith("a wins: ")
    assert benchmark_headline(result([50, 51], [50, 51])).startswith("No significant difference")
    assert benchmark_headline(result([50], [51], ended=False)).startswith("No")


@pytest.mark.parametrize(
    ("told", "said"), [(CLEAR, "95 % intervals, right for all differences together."),
                       (result([50, 51]), "95 % intervals.")],
)  # fmt: skip
def test_it_is_said_what_the_intervals_mean(told, said):
    """Whoever reads an interval knows its level, and whether it was corrected."""
    assert said in how_sure(told.finding)


def test_best_json_holds_the_winner_and_all_others():
    """Another program finds what to serve, and every number that the verdict rests on."""
    runs = [[outcome(metrics={SPEED: value + which}) for which in range(3)] for value in (50.0, 90.0)]
    for run in runs[1]:
        run.facts.update(serve_command="llama-server -np 2", request_fields={"temperature": 0})
    document = json.loads(benchmark_text(result(*runs)))
    assert document["winner"] == "a"
    assert document["serve_command"] == "llama-server -np 2"
    assert document["request_fields"] == {"temperature": 0}
    assert document["parameters"]["engine"] == {"n_parallel": 2}
    assert document["trials"] == 6
    assert document["candidates"][1]["against_baseline"][SPEED]["verdict"] == "better"
