"""Results for Python and as best.json."""

import json
from dataclasses import replace

import pytest
from fakes.comparisons import SPEED
from fakes.records import outcome, trial
from fakes.statuses import choice, compared, effect, ended, found

from llmopt_core.analysis.effects import Interval
from llmopt_core.results.best_documents import best_text
from llmopt_core.results.load_curves import searched_loads
from llmopt_core.results.results import OptimizationResult, fields_in, typed
from llmopt_core.search.configurations import GROUPS
from llmopt_core.storage.load_curves import LoadCurve, LoadProbe
from llmopt_core.storage.records import Phase

PROVED = effect(interval=Interval(0.05, 0.15))


def result(**fields):
    status = found(
        PROVED, confirmed=True, choices=[choice(3, PROVED, request_fields='{"top_p": 1}')], **ended()
    )
    best = {"parameters": {"engine.n_parallel": 8, "sampling.temperature": "0.2"}, "serve_args": "serve"}
    status = status.model_copy(update={"best": status.best.model_copy(update=best | fields)})
    return OptimizationResult("mine", status, engine="llamacpp")


def test_the_parts_of_a_status_have_their_types():
    """Parameters by group, numbers as numbers, the end and its words."""
    shown = result()
    assert shown.parameters == {"engine": {"n_parallel": 8}, "sampling": {"temperature": 0.2}, "prompt": {}}
    assert (shown.gain, shown.interval) == (pytest.approx(0.1), (0.05, 0.15))
    assert (shown.ended, shown.failed, shown.message) == ("TrialsExhausted", False, "all trials are done")
    assert (shown.trial, shown.trials, shown.serve_command) == (3, 9, "serve")
    assert (shown.significant, shown.keep_default, shown.default_is_best) == (True, False, False)
    assert shown.objectives == ("accuracy",)


def test_nothing_found_is_nothing():
    """Before a trial was measured there are no numbers."""
    empty = OptimizationResult("mine", found(trial=None, default=None))
    assert (empty.trial, empty.gain, empty.interval, empty.serve_command) == (None, None, None, None)
    assert (empty.ended, empty.parameters, empty.effects) == (None, {}, ())


def test_parameters_of_an_unknown_engine_or_version_stay_text():
    """A plug-in that is not installed here keeps nobody from reading its result."""
    assert typed({"engine.x": "1.5"}, "not-installed") == {"engine.x": "1.5"}
    assert typed({"engine.from_the_future": "1.5"}, "llamacpp") == {"engine.from_the_future": "1.5"}
    assert typed({"engine.cont_batching": "false", "sampling.temperature": 0.25}, "llamacpp") == {
        "engine.cont_batching": False,
        "sampling.temperature": 0.25,
    }


@pytest.mark.parametrize(("text", "fields"), [('{"a": [1]}', {"a": [1]}), ("", {}), ("[1]", {})])
def test_request_fields_are_json(text, fields):
    """What is none gives none."""
    assert fields_in(text) == fields


def test_best_json_holds_the_choices_and_how_the_best_was_chosen():
    """Another program finds what to serve, each alternative, and the numbers behind the headline."""
    document = json.loads(best_text(result()))
    assert document["trial"] == 3
    assert document["headline"].startswith("Significant gain over the baseline: accuracy +0.100")
    assert document["chosen"].startswith("Trial 3 is recommended because")
    assert document["parameters"]["sampling"] == {"temperature": 0.2}
    assert document["effects"][0]["absolute_interval"] == {"low": 0.05, "high": 0.15}
    assert document["choices"][0]["request_fields"] == {"top_p": 1}
    assert document["choices"][0]["gain"][0]["verdict"] == "better"


def test_best_json_holds_the_messages_of_what_is_served():
    """Those of the best and of each choice; of the baseline where that is kept; null where none are known."""
    plain, shots = (
        [{"role": "user", "content": "Q: {question}"}],
        [{"role": "user", "content": "{question}?"}],
    )
    shown = replace(result(), prompts={0: plain, 3: shots})
    document = json.loads(best_text(shown))
    assert (document["request_messages"], document["choices"][0]["request_messages"]) == (shots, shots)
    lost = effect(difference=0.0, interval=Interval(-0.1, 0.1))
    status = found(lost, trial=3, confirmed=True, **ended())
    best = status.best.model_copy(update={"reference": 0, "parameters": {"sampling.temperature": "0.2"}})
    kept = replace(shown, status=status.model_copy(update={"best": best}))
    assert (kept.keep_default, kept.request_messages) == (True, plain)
    document = json.loads(best_text(kept))
    assert document["parameters"] == {group: {} for group in GROUPS}
    assert document["trial_parameters"]["sampling"] == {"temperature": 0.2}
    assert json.loads(best_text(replace(shown, prompts={})))["request_messages"] == []
    assert json.loads(best_text(result()))["request_messages"] is None


def test_best_json_holds_the_curve_of_the_highest_load():
    """Another program reads every probe, and the interval of what was found."""
    curved = replace(
        outcome(), curve=LoadCurve("rate", 0.95, 4.0, 4.0, None, (LoadProbe(4.0, 9, 9, 0.8, 4.0),))
    )
    loads = searched_loads([trial(0, curved, phase=Phase.BASELINE)], 0)
    searched = result()
    status = searched.status.model_copy(update={"loads": loads})
    (curve,) = json.loads(best_text(replace(searched, status=status)))["loads"]
    assert (curve["name"], curve["by"], curve["value"]) == ("baseline", "rate", 4.0)
    assert curve["probes"] == [
        {"load": 4.0, "kept": 9, "requests": 9, "strain": 0.8, "per_second": 4.0, "stopped": False}
    ]


def test_best_json_of_a_benchmark_holds_the_winner_and_all_others():
    """Another program finds what to serve, and every number that the verdict rests on."""
    runs = [[outcome(metrics={SPEED: value + which}) for which in range(3)] for value in (50.0, 90.0)]
    for run in runs[1]:
        run.facts.update(serve_command="llama-server -np 2", request_fields={"temperature": 0})
    document = json.loads(best_text(compared(*runs)))
    assert document["winner"] == "a"
    assert document["serve_command"] == "llama-server -np 2"
    assert document["request_fields"] == {"temperature": 0}
    assert document["parameters"]["engine"] == {"n_parallel": 2}
    assert document["trials"] == 6
    assert document["candidates"][1]["against_baseline"][SPEED]["verdict"] == "better"
