"""Results of tenants' databases on their way into manifests: every text in them may be forged."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes.manifests import changed, optimization
from hypothesis import given
from hypothesis import strategies as st

from llmopt_core.analysis.effects import Effect, Interval, difference_effect
from llmopt_core.analysis.summary import WarningCount
from llmopt_core.api.reasons import Reason
from llmopt_core.engines.arguments import ServeArguments
from llmopt_core.errors.classes import ErrorClass
from llmopt_core.resources import LLMOptimization, resource_of
from llmopt_core.results.optimizations import ErrorCount, OptimizationResult, result_of
from llmopt_core.sampling.methods import open_for_search
from llmopt_core.search.configurations import Configuration
from llmopt_core.search.spaces import ChoiceDimension, SearchSpace, SpaceParameter
from llmopt_core.storage.definitions import define_study
from llmopt_core.storage.records import Outcome, OutcomeKind
from llmopt_operator.domain.winners import verified
from llmopt_operator.specs.config_maps import best_config_map

FORGED = "$(SECRET)"
DOCUMENT = changed(optimization(), "spec.model", {"source": "hf://org/name/file.gguf"})
DOCUMENT["metadata"] |= {"namespace": "team-a", "uid": "uid"}
PARAMETERS: dict[str, dict[str, Any]] = {
    "engine": {"n_parallel": 4},
    "sampling": {"temperature": 0.30000000000000004, "top_p": 0.9},
    "prompt": {},
}


def _resource(document: dict[str, Any] = DOCUMENT) -> LLMOptimization:
    resource = resource_of(document)
    assert isinstance(resource, LLMOptimization)
    return resource


def _effect(metric: str = "accuracy", value: Any = 0.9) -> Effect:
    effect = difference_effect("accuracy", "maximize", 0.5, 0.4, Interval(0.3, 0.5))
    return replace(effect, metric=metric, value=value)


RESULT = OptimizationResult(
    study=FORGED,
    default_failure=ErrorCount("InvalidConfiguration", 1, FORGED, FORGED, 0),
    reference=3,
    ended="TrialsExhausted",
    message=FORGED,
    trials=9,
    trial=7,
    parameters=PARAMETERS,
    metrics={"accuracy": 0.9, FORGED: 1.0},
    default_metrics={"accuracy": 0.5},
    objectives=(FORGED,),
    effects=(_effect(), _effect(FORGED)),
    confirmed=True,
    repeats=5,
    significant=True,
    serve_command=FORGED,
    serve_arguments=ServeArguments(("--api-key", FORGED), {}, ()),
    request_fields={FORGED: FORGED},
    errors=(ErrorCount(FORGED, 1, FORGED, FORGED, 3),),
    warnings=(WarningCount(FORGED, 1, 2),),
)


def test_arguments_are_computed_from_the_resource() -> None:
    """The row's own command line, arguments and request fields are never looked at."""
    found = verified(RESULT, _resource())
    assert found.problem is None
    assert found.result.serve_arguments is not None
    told = found.result.serve_arguments.told
    assert sorted(zip(told[::2], told[1::2], strict=True)) == [
        ("--ctx-size", "4096"),
        ("--parallel", "4"),
        ("--temp", "0.3"),
        ("--top-p", "0.9"),
    ]
    assert found.result.serve_command == (
        "llama-server --hf-repo org/name --hf-file file.gguf --alias file --ctx-size 4096 --parallel 4"
        " --temp 0.3 --top-p 0.9"
    )
    assert found.result.request_fields == {"temperature": 0.3, "top_p": 0.9}


def test_no_text_of_a_row_reaches_the_config_map() -> None:
    """Messages, names of metrics and whatever else a row says stay out of what is written."""
    found = verified(replace(RESULT, ended=f"Done {FORGED}"), _resource())
    assert FORGED not in json.dumps(best_config_map(DOCUMENT, _resource(), found.result))
    assert found.result.ended == ErrorClass.UNKNOWN


@pytest.mark.parametrize("ended", ["TrialsExhausted", "GpuOutOfMemory", None])
def test_a_known_end_is_taken_over(ended: str | None) -> None:
    """Reasons and classes of errors of this version stay as the row has them."""
    assert verified(replace(RESULT, ended=ended), _resource()).result.ended == ended


def test_an_end_that_only_looks_like_a_reason_is_unknown() -> None:
    """One word that no reason is called, such as a newer version's, is not taken over."""
    assert verified(replace(RESULT, ended="BrandNew"), _resource()).result.ended == ErrorClass.UNKNOWN


@pytest.mark.parametrize(
    ("group", "name", "value", "words"),
    [
        ("engine", "api_key", FORGED, "'engine.api_key' is not searched"),
        ("engine", "n_ctx", 8192, "'engine.n_ctx' is not searched"),
        ("engine", "n_parallel", 9, "engine.n_parallel = 9"),
        ("engine", "n_parallel", True, "engine.n_parallel = True"),
        ("engine", "n_parallel", 4.5, "engine.n_parallel = 4.5"),
        ("engine", "n_parallel", FORGED, "engine.n_parallel = '$(SECRET)'"),
        ("engine", "n_parallel", "\x1b[2J" * 99, "\\x1b[2J"),
        ("sampling", "temperature", 0.35, "sampling.temperature = 0.35"),
        ("sampling", "temperature", float("nan"), "sampling.temperature = nan"),
        ("sampling", "temperature", 0, "sampling.top_p is given though its conditions do not hold"),
        ("sampling", "top_p", 1.5, "sampling.top_p = 1.5"),
        ("sampling", "top_p", [0.9], "sampling.top_p = [0.9]"),
        ("prompt", "few_shot", 4, "prompt.few_shot = 4"),
        ("prompt", "system", FORGED, "'prompt.system' is not searched"),
    ],
)
def test_parameters_outside_the_space_give_no_winner(group: str, name: str, value: Any, words: str) -> None:
    """The reason names the parameter and its value, shortened and without control characters."""
    parameters = {**PARAMETERS, group: {**PARAMETERS[group], name: value}}
    found = verified(replace(RESULT, parameters=parameters), _resource())
    assert found.result.trial is None
    assert found.problem is not None
    assert found.problem.reason is Reason.PARAMETERS_OUTSIDE_SPACE
    assert words in found.problem.message
    assert found.problem.message.isprintable()
    assert len(found.problem.message) < 200


def test_choices_are_the_resources_own() -> None:
    """A categorical value is one of the choices as the manifest has them, of the same type."""
    space = {"engine": [{"name": "flash_attn", "categorical": {"choices": ["on", "off"]}},
                        {"name": "cache_prompt", "categorical": {"choices": ["true", "false"]}}]}  # fmt: skip
    resource = _resource(changed(DOCUMENT, "spec.search.space", space))

    def parameters(**engine: Any) -> OptimizationResult:
        return replace(RESULT, parameters={"engine": engine, "sampling": {}, "prompt": {}})

    assert verified(parameters(flash_attn="on", cache_prompt=False), resource).problem is None
    assert verified(parameters(flash_attn="auto"), resource).problem is not None
    assert verified(parameters(cache_prompt=0), resource).problem is not None


def test_where_the_default_is_kept_its_command_is_told() -> None:
    """Without a proven gain the command serves the default, as computed here."""
    effect = difference_effect("accuracy", "maximize", 0.5, 0.1, Interval(-0.1, 0.3))
    kept = replace(RESULT, effects=(effect,), significant=False, default_failure=None)
    found = verified(kept, _resource())
    assert found.result.keep_default
    assert found.result.serve_command is not None
    assert "--temp" not in found.result.serve_command


def test_a_study_with_a_space_of_its_own_is_not_believed(tmp_path: Path) -> None:
    """Whoever makes the study's rows first, with another space and the right fingerprint, wins nothing."""
    resource = _resource()
    forged = SearchSpace((SpaceParameter("engine.api_key", ChoiceDimension((FORGED, "x"))),))
    definition = replace(define_study(resource), space=forged)
    with open_for_search(f"sqlite:///{tmp_path}/forged.db") as storage:
        study = storage.create_study(definition)
        for accuracy in (0.5, 0.9):
            claim = study.claim("runner", budget=2)
            assert claim is not None
            outcome = Outcome(
                OutcomeKind.MEASURED,
                Configuration.from_flat(claim.parameters),
                metrics={"accuracy": accuracy},
                facts={"serve_command": FORGED},
            )
            study.finish(claim, outcome)
        found = verified(result_of(study), resource)
    assert found.problem is not None
    assert found.problem.reason is Reason.PARAMETERS_OUTSIDE_SPACE
    assert FORGED not in json.dumps(best_config_map(DOCUMENT, resource, found.result))


@given(
    st.dictionaries(
        st.sampled_from(["n_parallel", "threads", "$(A)"]) | st.text(max_size=8),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
        max_size=3,
    ).filter(lambda found: "" not in found)
)
def test_whatever_a_row_holds_only_the_space_is_told(engine: dict[str, Any]) -> None:
    """Any parameters give either a reason, or arguments of whole numbers inside the space."""
    result = replace(RESULT, parameters={"engine": engine, "sampling": {}, "prompt": {}})
    found = verified(result, _resource())
    if found.problem is None:
        assert set(engine) <= {"n_parallel"}
        assert found.result.serve_arguments is not None
        numbers = found.result.serve_arguments.told[1::2]
        assert all(number.isdigit() for number in numbers)
