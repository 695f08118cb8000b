"""Keywords of `llmopt.optimize` and `llmopt.benchmark` that say how a study is run."""

import math

import numpy as np
import pytest
from fakes.local_runs import benchmark_document, document

import llmopt
from llmopt.keyword_checks import check_run, timeout_seconds
from llmopt.manifests import OptionInvalid

CALLS = {
    "optimize": lambda **more: llmopt.optimize(manifest=document(), **more),
    "benchmark": lambda **more: llmopt.benchmark(benchmark_document(), **more),
}


@pytest.mark.parametrize("function", CALLS)
@pytest.mark.parametrize(
    ("keyword", "value", "message"),
    [
        ("timeout", "1h", "timeout '1h': expected seconds, a number above 0"),
        ("timeout", True, "timeout True: expected seconds"),
        ("timeout", 0, "timeout 0: expected seconds"),
        ("timeout", math.inf, "timeout inf: expected seconds"),
        ("timeout", math.nan, "timeout nan: expected seconds"),
        pytest.param("timeout", 10**5000, "timeout .*: expected seconds", id="long"),
        ("runners", "2", "runners '2': expected a whole number from 1 to 32"),
        ("runners", -1, "runners -1: expected a whole number"),
        ("runners", 0, "runners 0: expected a whole number"),
        ("runners", 33, "runners 33: expected a whole number"),
        ("runners", True, "runners True: expected a whole number"),
        ("results", None, "results None: expected a folder, as text or as a Path"),
        ("storage", 5, "storage 5: expected the URL of a database as text"),
        ("fresh", "no", "fresh 'no': expected True or False"),
        ("progress", 1, "progress 1: expected True or False"),
        ("debug", None, "debug None: expected True or False"),
        ("evaluator", "mine", "evaluator 'mine': expected a function"),
    ],
)
def test_a_keyword_that_cannot_be_used_is_refused_before_anything_is_made(
    function, keyword, value, message, tmp_path, monkeypatch
):
    """One error names the keyword and its value, and there is no folder of results."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OptionInvalid, match=f"^{message}"):
        CALLS[function](**{keyword: value})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("function", CALLS)
def test_results_that_a_file_is_in_the_way_of_are_refused(function, tmp_path):
    """In the words of --results, not by a number of the operating system's."""
    (tmp_path / "file").touch()
    with pytest.raises(OptionInvalid, match=r"^results .*: expected a folder, and .*file is a file"):
        CALLS[function](results=tmp_path / "file" / "below")


def test_results_where_nothing_may_be_written_are_refused(tmp_path, without_rights):
    """The folder whose mode has to be changed is named, also where one in it is to be made."""
    tmp_path.chmod(0o500)
    for results in (tmp_path, tmp_path / "new"):
        with pytest.raises(OptionInvalid, match=f"expected a folder in which user .* mode of {tmp_path}$"):
            without_rights(check_run, {"results": results})


def test_what_can_be_used_is_taken(tmp_path):
    """With the defaults, with None where that means the default, and with numbers of NumPy."""
    check_run({})
    check_run({"timeout": None, "runners": None, "storage": None, "evaluator": None})
    check_run({"timeout": 0.5, "runners": 32, "results": tmp_path / "new", "fresh": True, "evaluator": max})
    assert timeout_seconds(np.int64(60)) == 60.0


@pytest.mark.parametrize("timeout", [math.inf, math.nan, "10m", 10**400])
def test_a_timeout_of_a_study_that_is_described_is_checked_as_well(timeout):
    """Where the study is not run here, it is its budget."""
    with pytest.raises(OptionInvalid, match=r"^timeout .*: expected seconds"):
        llmopt.cluster.submit(model="hf://org/name", timeout=timeout)
