"""All faults of a manifest at once, in words, with their lines."""

from dataclasses import replace
from typing import Any

import pytest
from fakes.known_names import KNOWN
from fakes.manifests import Document, benchmark, changed, optimization

from llmopt_core.resources import Fault, validate
from llmopt_core.resources.known import installed

SPACE = "spec.search.space"


WRONG: dict[str, tuple[str, Any, str, str, str | None]] = {
    "a mistyped field": ("spec.modle", {}, "spec.modle", "a known field", "did you mean model?"),
    "a mistyped engine": ("spec.engine.name", "lamacpp", "spec.engine.name", "installed engine", "llamacpp"),
    "a mistyped argument": ("spec.engine.args.n_ctxx", 1, "spec.engine.args.n_ctxx", "a parameter", "n_ctx"),
    "an argument out of range": ("spec.engine.args.n_ctx", -1, "spec.engine.args.n_ctx", "at least 0", None),
    "an argument of another kind": ("spec.engine.args.n_ctx", "x", "spec.engine.args.n_ctx", "whole", None),
    "an unquoted on": ("spec.engine.args.flash_attn", True, "spec.engine.args.flash_attn", "in quotes", None),
    "an unquoted decimal": ("spec.workload.sampling", {"top_p": 0.5}, "sampling.top_p", '"0.5"', None),
    "a quoted number": ("spec.budget.trials", "40", "spec.budget.trials", "whole number, without", None),
    "too small a number": ("spec.budget.trials", 0, "spec.budget.trials", "at least 1", None),
    "too large a number": ("spec.runners.count", 99, "spec.runners.count", "at most 32", None),
    "no duration": ("spec.budget.duration", "soon", "spec.budget.duration", "such as 45s", None),
    "a mistyped choice": (
        "spec.search.sampler.name",
        "tpee",
        "sampler.name",
        "one of auto, tpe",
        "mean tpe?",
    ),
    "a missing field": ("spec.model.source", None, "spec.model.source", "required", None),
    "a model from nowhere": ("spec.model.source", "org/name", "spec.model.source", "hf://ORG/NAME", None),
    "a model that a server reads as a flag": (
        "spec.model.source",
        "hf://--config=a/b",
        "spec.model.source",
        "hf://ORG/NAME",
        None,
    ),
    "no object": ("spec.workload", 3, "spec.workload", "fields with values", "there are dataset, "),
    "no list": ("spec.objectives", "accuracy", "spec.objectives", "entries begin with a hyphen", None),
    "no objective": ("spec.objectives", [], "spec.objectives", "at least 1 entries", None),
    "an unknown data set": ("spec.workload.dataset.name", "arithmetics", "name", "data set", "arithmetic"),
    "conversations of a data set that has none": (
        "spec.workload.load",
        {"concurrency": 2, "conversations": {}},
        "spec.workload.dataset.name",
        "a data set of conversations",
        "remove load.conversations",
    ),
    "an unknown evaluator": ("spec.workload.evaluator", {"name": "exat"}, "name", "evaluator", "exact"),
    "an unknown metric": ("spec.objectives.0.metric", "ttft_p95", "[0].metric", "catalogue", "ttft_ms_p95"),
    "a metric that only some trials have": (
        "spec.objectives.0.metric",
        "engine_start_seconds",
        "spec.objectives[0].metric",
        "that every trial measures",
        "not started again",
    ),
    "a constraint's unknown metric": (
        "spec.constraints",
        [{"metric": "acuracy", "min": "0.5"}],
        "spec.constraints[0].metric",
        "catalogue",
        "accuracy",
    ),
    "a target's unknown metric": (
        "spec.budget.target",
        {"metric": "acuracy", "value": "0.5"},
        "spec.budget.target.metric",
        "catalogue",
        "accuracy",
    ),
    "a metric that the data set's evaluator lacks": (
        "spec.objectives.0.metric",
        "token_f1",
        "spec.objectives[0].metric",
        "evaluator gives: accuracy",
        None,
    ),
    "a metric that the named evaluator lacks": (
        "spec.workload.evaluator",
        {"name": "f1"},
        "spec.objectives[0].metric",
        "evaluator gives: token_f1",
        None,
    ),
    "an unknown parameter searched": (f"{SPACE}.engine.0.name", "n_paralel", "[0].name", "", "n_parallel"),
    "a range of the wrong kind": (
        f"{SPACE}.sampling.0",
        {"name": "temperature", "int": {"low": 0, "high": 1}},
        f"{SPACE}.sampling[0].int",
        "float: sampling.temperature takes a decimal",
        None,
    ),
    "a range for a choice": (
        f"{SPACE}.engine.0",
        {"name": "flash_attn", "int": {"low": 0, "high": 1}},
        f"{SPACE}.engine[0].int",
        "categorical: engine.flash_attn takes one of auto",
        None,
    ),
    "a range too wide": (f"{SPACE}.engine.0.int.high", 300, "engine[0].int.high", "from 1 to 256", None),
    "a choice that is none": (
        f"{SPACE}.engine.0",
        {"name": "cache_type_k", "categorical": {"choices": ["f16", "q9"]}},
        f"{SPACE}.engine[0].categorical.choices[1]",
        "one of f32",
        None,
    ),
    "too many examples": (f"{SPACE}.prompt.0.int.high", 99, "prompt[0].int.high", "from 0 to 32", None),
    "what the engine never accepts": (
        f"{SPACE}.engine.0",
        {"name": "n_parallel", "categorical": {"choices": [8, 16]}},
        f"{SPACE}.engine[0].name",
        "accepts beside what is fixed",
        "n_batch 4 is smaller",
    ),
    "an enqueued stranger": (
        "spec.search.enqueue",
        [{"engine.n_batch": 64}],
        "spec.search.enqueue[0].engine.n_batch",
        "a parameter of the search space",
        None,
    ),
    "an enqueued value outside": (
        "spec.search.enqueue",
        [{"engine.n_parallel": 9}],
        "spec.search.enqueue[0].engine.n_parallel",
        "from 1 to 8",
        None,
    ),
    "an enqueued value between steps": (
        "spec.search.enqueue",
        [{"sampling.temperature": "0.25"}],
        "spec.search.enqueue[0].sampling.temperature",
        "in steps of 0.1",
        None,
    ),
    "an enqueued value of another kind": (
        "spec.search.enqueue",
        [{"engine.n_parallel": "many"}],
        "spec.search.enqueue[0].engine.n_parallel",
        "whole number",
        None,
    ),
}


@pytest.mark.parametrize("document", [optimization(), benchmark()], ids=lambda one: one["kind"])
def test_a_valid_manifest_has_no_faults(document: Document) -> None:
    """What can be run has nothing wrong."""
    assert validate(document, KNOWN) == ()


@pytest.mark.parametrize(("path", "value", "place", "expected", "suggestion"), WRONG.values(), ids=WRONG)
def test_a_fault_names_the_field_and_what_to_do(
    path: str, value: Any, place: str, expected: str, suggestion: str | None
) -> None:
    """One wrong thing gives one fault at its field, with what was expected and the nearest right name."""
    document = optimization()
    if "never accepts" in expected or "beside what is fixed" in expected:
        document["spec"]["engine"]["args"]["n_batch"] = 4
    faults = validate(changed(document, path, value), KNOWN)
    (fault,) = [one for one in faults if one.path.endswith(place)]
    assert expected in fault.expected
    assert suggestion is None or suggestion in str(fault.suggestion)
    assert str(fault).startswith(fault.path)


def test_all_faults_come_at_once() -> None:
    """A fault in one part hides none in another, nor a rule that spans sound parts."""
    document = changed(optimization(), "spec.model.source", "nowhere")
    document = changed(document, "spec.budget.trials", 0)
    document = changed(document, "spec.engine.args.n_ctxx", 1)
    document = changed(document, "spec.search.sampler", {"name": "cmaes"})
    document = changed(document, "spec.objectives", [{"metric": "accuracy"}, {"metric": "acuracy"}])
    assert {fault.path for fault in validate(document, KNOWN)} == {
        "spec.model.source",
        "spec.budget.trials",
        "spec.engine.args.n_ctxx",
        "spec.objectives",
        "spec.objectives[1].metric",
    }


def test_a_preset_that_leaves_nothing_to_search_is_said() -> None:
    """An endpoint's own settings cannot be searched: the preset is named before any study is made of it."""
    document = changed(optimization(), "spec.search", {"preset": "speed"})
    document["spec"]["engine"] = {"name": "openai", "endpoint": {"url": "http://127.0.0.1:1/v1"}}
    (fault,) = validate(document, KNOWN)
    assert fault.path == "spec.search.preset"
    assert "something to search on engine openai" in str(fault)
    assert validate(changed(document, "spec.search.preset", "accuracy"), KNOWN) == ()


def test_a_broken_rule_is_said_once() -> None:
    """A rule of the spec itself is not reported by the type and once more by the check of sound parts."""
    faults = validate(changed(benchmark(), "spec.baseline", "other"), KNOWN)
    assert [(fault.path, fault.value) for fault in faults] == [("spec.baseline", "other")]


def test_what_the_engine_refuses_together_is_said() -> None:
    """Fixed arguments that the engine would refuse are a fault with the way out."""
    args = {"cache_type_v": "q8_0", "flash_attn": "off"}
    (fault,) = validate(changed(optimization(), "spec.engine.args", args), KNOWN)
    assert fault.path == "spec.engine.args"
    assert "set engine.flash_attn to auto or on" in str(fault)


def test_a_conflict_that_another_searched_parameter_can_solve_is_none() -> None:
    """A fixed value that is also searched does not make another parameter hopeless."""
    document = changed(optimization(), "spec.engine.args.n_batch", 4)
    document["spec"]["search"]["space"]["engine"] = [
        {"name": "n_batch", "categorical": {"choices": [64, 128]}},
        {"name": "n_parallel", "categorical": {"choices": [8, 16]}},
    ]
    assert validate(document, KNOWN) == ()


SPECULATING = {"name": "llamacpp", "args": {"spec_type": "draft-simple"}}


DRAFT = {"engine.spec_draft_model": "/models/draft.gguf"}


def test_what_is_missing_may_be_searched() -> None:
    """A type of guessing is fixed, and its model is what the search chooses, or an enqueued entry names."""
    document = changed(optimization(), "spec.engine", SPECULATING)
    document["spec"]["search"]["space"]["engine"] = []
    (fault,) = validate(document, KNOWN)
    assert "needs engine.spec_draft_model" in str(fault)
    models = {"name": "spec_draft_model", "categorical": {"choices": ["/models/a.gguf", "/models/b.gguf"]}}
    document["spec"]["search"]["space"]["engine"] = [models]
    assert validate(document, KNOWN) == ()


def test_what_is_missing_may_be_a_candidates() -> None:
    """The shared engine leaves to each candidate what it cannot do without; one that lacks it is a fault."""
    document = changed(benchmark(), "spec.engine", SPECULATING)
    document = changed(document, "spec.candidates", [{"name": each, "parameters": DRAFT} for each in "ab"])
    document = changed(document, "spec.baseline", "a")
    assert validate(document, KNOWN) == ()
    document["spec"]["candidates"][1].pop("parameters")
    (fault,) = validate(document, KNOWN)
    assert fault.path == "spec.candidates[1].parameters"


def test_an_enqueued_configuration_must_not_be_refused() -> None:
    """An enqueued entry is checked together with what is fixed."""
    document = changed(optimization(), "spec.engine.args.n_batch", 4)
    document = changed(document, "spec.search.enqueue", [{"engine.n_parallel": 8}])
    (fault,) = validate(document, KNOWN)
    assert fault.path == "spec.search.enqueue[0]"
    assert "n_batch 4 is smaller" in str(fault)


def test_an_extension_must_be_said_to_be_supported() -> None:
    """With an endpoint, a request field beyond OpenAI's is a fault until the manifest says it is taken."""
    engine = {"name": "openai", "endpoint": {"url": "http://127.0.0.1:1/v1"}}
    space = {"sampling": [{"name": "top_k", "int": {"low": 1, "high": 50}}]}
    document = changed(changed(optimization(), "spec.engine", engine), SPACE, space)
    (fault,) = validate(document, KNOWN)
    assert (fault.path, "sampling_extensions: top_k" in str(fault)) == (f"{SPACE}.sampling[0].name", True)
    assert (
        validate(changed(document, "spec.engine.args", {"sampling_extensions": "min_p,top_k"}), KNOWN) == ()
    )


def test_an_evaluator_that_does_not_say_its_metrics_is_believed() -> None:
    """Where a plug-in does not say what it gives, no objective is refused."""
    document = changed(optimization(), "spec.workload.evaluator", {"name": "foreign"})
    assert validate(changed(document, "spec.objectives.0.metric", "judge_score"), KNOWN) == ()


def test_candidates_are_checked_against_their_own_engine() -> None:
    """A candidate's engine, arguments and parameters are checked; what is shared is checked once."""
    document = changed(benchmark(), "spec.candidates.1.parameters", {"engine.n_paralel": 8})
    document["spec"]["candidates"] += [
        {"name": "other", "engine": {"name": "vlm"}},
        {"name": "own", "engine": {"name": "llamacpp", "args": {"n_ctx": -1}}},
        {"name": "clash", "parameters": {"engine.cache_type_v": "q8_0", "engine.flash_attn": "off"}},
    ]
    assert [fault.path for fault in validate(document, KNOWN)] == [
        "spec.candidates[1].parameters.engine.n_paralel",
        "spec.candidates[2].engine.name",
        "spec.candidates[3].engine.args.n_ctx",
        "spec.candidates[4].parameters",
    ]


def test_a_benchmarks_metrics_are_checked() -> None:
    """Both the objective and what is reported beside it are metrics of the catalogue."""
    document = changed(benchmark(), "spec.metrics", ["acuracy"])
    document = changed(document, "spec.objective.metric", "speed")
    assert {fault.path for fault in validate(document, KNOWN)} == {"spec.metrics[0]", "spec.objective.metric"}


def test_what_is_installed_is_known_by_default() -> None:
    """Without names given, those of this installation are taken: the built-in engines are among them."""
    faults = validate(changed(optimization(), "spec.engine.name", "lamacpp"))
    (fault,) = [one for one in faults if one.path == "spec.engine.name"]
    assert fault.suggestion == "did you mean llamacpp?"


@pytest.mark.parametrize("document", [None, 3, [], "text", {}, {"kind": ["LLMOptimization"]}])
def test_what_is_no_manifest_is_a_fault_not_an_error(document: Any) -> None:
    """Whatever YAML can hold is answered with one fault."""
    (fault,) = validate(document, KNOWN)
    assert isinstance(fault, Fault)


@pytest.mark.parametrize("spec", [None, 3, [], "text"])
def test_a_spec_that_is_no_object_is_a_fault(spec: Any) -> None:
    """A spec of the wrong shape is one fault, and nothing below it is looked at."""
    (fault,) = validate({**optimization(), "spec": spec}, KNOWN)
    assert fault.path == "spec"


def test_names_given_replace_what_is_installed() -> None:
    """Who knows other data sets passes them in."""
    document = changed(optimization(), "spec.workload.dataset.name", "mine")
    assert validate(document, replace(KNOWN, datasets=("mine",))) == ()


@pytest.mark.parametrize(("evaluator", "faults"), [("distinct", 1), ("numeric", 0), ("token_f1", 0)])
def test_good_answers_need_an_evaluator_that_scores_each_answer(evaluator: str, faults: int) -> None:
    """Distinct-n is a measure of all answers together: none of them is a good one."""
    document = changed(optimization(), "spec.workload.evaluator", {"name": evaluator})
    document = changed(document, "spec.objectives", [{"metric": "good_answers_per_second"}])
    found = validate(document, installed())
    assert [fault.path for fault in found] == ["spec.objectives[0].metric"] * faults
    assert all("a metric that the workload's evaluator gives" in fault.expected for fault in found)


@pytest.mark.parametrize("suffix", ["", "_per_gpu"])
def test_the_cost_of_good_answers_needs_a_price(suffix: str) -> None:
    """As every cost does."""
    metric = f"cost_per_thousand_good_answers{suffix}"
    document = changed(optimization(), "spec.objectives", [{"metric": metric}])
    (fault,) = validate(document, installed())
    assert "hourlyPrice" in fault.expected
    assert validate(changed(document, "spec.workload.hourlyPrice", "2"), installed()) == ()


@pytest.mark.parametrize(
    ("metric", "bound", "value", "expected"),
    [
        ("accuracy", "min", "-0.02", None),
        ("accuracy", "min", "-2", "a difference to the baseline's value from -1 to 1"),
        ("accuracy", "max", "10", "a difference to the baseline's value from -1 to 1"),
        ("ttft_ms_p95", "max", "0.1", None),
        ("ttft_ms_p95", "max", "2.5", None),
        ("ttft_ms_p95", "max", "-1", "a share of the baseline's value above -1"),
        ("requests_per_second", "min", "-1.5", "a share of the baseline's value above -1"),
    ],
)
def test_a_relative_bound_is_one_that_values_can_keep_and_break(
    metric: str, bound: str, value: str, expected: str | None
) -> None:
    """A score differs by at most 1, and nothing is more than all of it below."""
    constraint = {"metric": metric, bound: value, "relativeTo": "baseline"}
    faults = validate(changed(optimization(), "spec.constraints", [constraint]), KNOWN)
    assert [(fault.path, fault.expected) for fault in faults] == (
        [(f"spec.constraints[0].{bound}", expected)] if expected else []
    )
