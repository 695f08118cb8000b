"""The table of a live comparison."""

from collections.abc import Sequence

from disturbances import disturbed
from surfaces.tables import table

from live.manifests import DEFAULT, OBJECTIVE
from live.searching import Search
from llmopt_core.resources.status import CandidateResult
from llmopt_core.results.effect_texts import gain_text, interval_text, mean_interval_text, mean_text
from llmopt_core.results.numbers import number
from llmopt_core.results.results import BenchmarkResult

_HEADER = (
    "search",
    "trials",
    "starts",
    "disturbed",
    "seconds",
    "best it measured",
    f"held out: {OBJECTIVE}",
    "over the default",
    "accuracy",
)


def report(found: Sequence[Search], judged: BenchmarkResult, minutes: float, seconds: float) -> str:
    """Return the text: what each search did, and what its winner is worth on items held out."""
    searched = {search.name: search for search in found}
    rows = [_row(name, searched.get(name), judged) for name in (DEFAULT, *searched)]
    return (
        f"# Live searches: the quickstart's space on llama.cpp, {minutes:g} minutes each\n\n"
        f"By `bench/live_search.py` in {seconds / 60:.0f} minutes. Objective: `{OBJECTIVE}`."
        " `starts` are engine starts, `disturbed` measurements from which others took the processors."
        f" Winners were compared in {judged.status.repeats} interleaved repeats on items that no search saw;"
        f" {disturbed(judged.warnings)} of the {judged.repeats} measured repeats were disturbed."
        " Intervals: 95 % over all comparisons with the default.\n\n"
        f"{table(list(_HEADER), rows)}\n\n{judged.verdict}\n"
    )


def _row(name: str, search: Search | None, judged: BenchmarkResult) -> list[str]:
    searched = [""] * 5 if search is None else _searched(search)
    candidate = next((each for each in judged.candidates if each.candidate == name), None)
    return [name, *searched, *([""] * 3 if candidate is None else _held_out(candidate))]


def _searched(search: Search) -> list[str]:
    value = "nothing" if search.value is None else number(search.value)
    return [str(search.trials), str(search.starts), str(search.disturbed), f"{search.seconds:.0f}", value]


def _held_out(candidate: CandidateResult) -> list[str]:
    if OBJECTIVE not in candidate.metrics:
        return [candidate.failure.last_message if candidate.failure else "not measured", "", ""]
    effect = candidate.against_baseline.get(OBJECTIVE)
    over = "" if effect is None else f"{gain_text(effect)} ({interval_text(effect)})"
    return [_mean(candidate, OBJECTIVE), over, _mean(candidate, "accuracy")]


def _mean(candidate: CandidateResult, metric: str) -> str:
    mean, span = mean_text(candidate.metrics[metric]), mean_interval_text(candidate.metrics[metric])
    return f"{mean} ({span})" if span else mean
