"""Failures of engines and machines, reduced to the lines that decide: class, words and limits.

The lines come from public threads, or are in the words of the programs that write them.
"""

import json
from pathlib import Path

import pytest

from llmopt_core.engines.registry import BUILT_IN, all_patterns
from llmopt_core.errors.classes import ErrorClass
from llmopt_core.errors.classification import Evidence, classify, is_known
from llmopt_core.errors.limits import LimitRule

REDUCED = Path(__file__).parents[3] / "data/engine_logs/reduced"
CASES = [
    (path.stem, json.loads(line))
    for path in sorted(REDUCED.glob("*.jsonl"))
    for line in path.read_text().splitlines()
]


def _patterns(engine):
    return BUILT_IN[engine].logs.patterns if engine in BUILT_IN else all_patterns()


def _named(case):
    engine, reduced = case
    return f"{engine}: {reduced['class']}, {reduced['log'][-300:].splitlines()[0][:60]}"


@pytest.mark.parametrize(("engine", "reduced"), CASES, ids=map(_named, CASES))
def test_a_reduced_failure_is_what_an_expert_says(engine, reduced):
    """Its class, the words that help, and what it bounds; a consequence is never the message."""
    failure = classify(Evidence(reduced["log"], exit_code=1, patterns=_patterns(engine)))
    assert failure.error_class is ErrorClass(reduced["class"])
    assert [word for word in reduced["said"] if word not in failure.text] == []
    assert [str(limit) for limit in failure.limits if str(limit) in reduced["limits"]] == reduced["limits"]
    assert "See root cause above" not in failure.message
    assert "{" not in failure.suggestion


def test_most_failures_have_a_known_cause():
    """What is only a crash says no remedy: few of these may be that."""
    known = [is_known(Evidence(row["log"], patterns=_patterns(engine))) for engine, row in CASES]
    assert sum(known) > 0.95 * len(known) > 100


def test_a_line_that_speaks_of_another_number_bounds_nothing():
    """`12 is not divisible by 8` where no parameter is 8 says nothing of tensor_parallel_size."""
    rule = LimitRule("tensor_parallel_size", divides="whole", value="size")
    groups = {"whole": "12", "size": "8"}
    assert rule.limit(groups, {"tensor_parallel_size": 4}) is None
    assert str(rule.limit(groups, {"tensor_parallel_size": 8})) == "tensor_parallel_size must divide 12"


@pytest.mark.parametrize(
    ("log", "said"),
    [
        (
            "llama_model_load: error loading model: odd thing\nmain: exiting due to model loading error",
            "odd thing",
        ),
        (
            "loading\n/ggml.c:1234: GGML_ASSERT(n_tokens <= n_batch) failed\n[New LWP 7]",
            "GGML_ASSERT(n_tokens",
        ),
        ("terminate called\n  what():  vector::_M_range_check\nAborted", "_M_range_check"),
        ("Exception: odd thing\nException: WorkerProc initialization failed due to x", "odd thing"),
        ("ERROR 03-19 10:48:40 worker_base.py:467] OddError: odd thing\nlater", "OddError: odd thing"),
    ],
)
def test_what_no_pattern_knows_is_said_by_its_own_line(log, said):
    """Programs in C++, plain exceptions and older loggers name their cause as well."""
    assert said in classify(Evidence(log, exit_code=1, patterns=all_patterns())).message
