"""Results of tenants' databases on their way into manifests: every text in them may be forged."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes.manifests import changed, optimization
from hypothesis import given
from hypothesis import strategies as st

from llmopt_core.analysis.confirmation import Choice
from llmopt_core.analysis.effects import Effect, Interval, difference_effect
from llmopt_core.analysis.summary import ErrorCount, summarise
from llmopt_core.api.reasons import Reason
from llmopt_core.engines.arguments import ServeArguments
from llmopt_core.errors.classes import ErrorClass, Failure
from llmopt_core.resources import LLMOptimization, resource_of
from llmopt_core.results.constraints import Standing
from llmopt_core.results.findings import OptimizationFinding, ServedChoice, finding_of
from llmopt_core.sampling.methods import open_for_search
from llmopt_core.search.configurations import Configuration, Value
from llmopt_core.search.spaces import ChoiceDimension, SearchSpace, SpaceParameter
from llmopt_core.storage.definitions import define_study
from llmopt_core.storage.documents import EndReason
from llmopt_core.storage.records import ConfirmPlan, Outcome, OutcomeKind, Phase, TrialRecord
from llmopt_core.storage.views import StudyPicture
from llmopt_operator.adapters.readings import result_written
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


FAILURE = Failure(ErrorClass.INVALID_CONFIGURATION, FORGED, FORGED)
FORGED_CHOICE = ServedChoice(
    Choice(1, {"engine.n_parallel": 4}, 7, (_effect(),), 5), 0.4, FORGED, {FORGED: FORGED}
)
OUTSIDE = ServedChoice(Choice(2, {"engine.api_key": FORGED}, 8, (_effect(),), 5), 0.3)
RESULT = OptimizationFinding(
    default_failure=ErrorCount(ErrorClass.INVALID_CONFIGURATION, 1, FAILURE, 0),
    reference=3,
    trial=7,
    parameters=PARAMETERS,
    metrics={"accuracy": 0.9, FORGED: 1.0},
    objectives=(FORGED,),
    effects=(_effect(), _effect(FORGED)),
    confirmed=True,
    repeats=5,
    significant=True,
    choices=(FORGED_CHOICE, OUTSIDE),
    serve_command=FORGED,
    serve_arguments=ServeArguments(("--api-key", FORGED), {}, ()),
    request_fields={FORGED: FORGED},
)


def _study(ended: str | None = "TrialsExhausted", *forged: TrialRecord) -> StudyPicture:
    end = None if ended is None else EndReason(ended, FORGED)
    plan = ConfirmPlan(({}, {"engine.n_parallel": 4}), (0, 1), 3)
    return StudyPicture(define_study(_resource()), end, plan, None, "Keep", forged, ())


def _trials() -> Iterator[TrialRecord]:
    """Yield a baseline, a better trial and repeats of both, with forged texts wherever a row has one."""
    settings: Sequence[dict[str, Value]] = ({}, {"engine.n_parallel": 4})
    for number in range(8):
        candidate = number % 2
        made = Outcome(
            OutcomeKind.MEASURED,
            Configuration.from_flat(settings[candidate]),
            metrics={"accuracy": 0.5 + candidate / 4, FORGED: 1.0},
            samples={str(item): float(candidate) for item in range(20)},
            sample_metric="accuracy",
            warnings=(FORGED,),
            facts={"serve_command": FORGED, "request_fields": {FORGED: FORGED}},
        )
        repeat = None if number < 2 else number // 2 - 1
        phase = (Phase.BASELINE, Phase.SEARCH)[number] if number < 2 else Phase.CONFIRM
        yield TrialRecord(
            number, phase, "finished", settings[candidate], FORGED, made, 0.0, 1.0,
            None if repeat is None else candidate, repeat,
        )  # fmt: skip


def test_arguments_are_computed_from_the_resource() -> None:
    """The row's own command line, arguments and request fields are never looked at."""
    found = verified(RESULT, _resource())
    assert found.problem is None
    assert found.finding.serve_arguments is not None
    given = found.finding.serve_arguments.given
    assert sorted(zip(given[::2], given[1::2], strict=True)) == [
        ("--ctx-size", "4096"),
        ("--parallel", "4"),
        ("--temp", "0.3"),
        ("--top-p", "0.9"),
    ]
    assert found.finding.serve_command == (
        "llama-server --hf-repo org/name --hf-file file.gguf --alias file --ctx-size 4096 --parallel 4"
        " --temp 0.3 --top-p 0.9"
    )
    assert found.finding.request_fields == {"temperature": 0.3, "top_p": 0.9}


def test_no_text_of_a_row_reaches_the_config_map() -> None:
    """Messages, names of metrics and whatever else a row says stay out of what is written."""
    result = result_written(_study(f"Done {FORGED}", *_trials()), _resource())
    assert result.trial == 1
    assert result.confirmed
    assert FORGED not in json.dumps(best_config_map(DOCUMENT, _resource(), result))
    assert result.ended == ErrorClass.UNKNOWN


def test_of_constraints_only_the_manifests_own_and_numbers_are_taken_over() -> None:
    """A row's definition may name any text, and its metrics may be no numbers."""
    bounded = changed(DOCUMENT, "spec.constraints", [{"metric": "ttft_ms_p95", "max": "500"}])
    kept = Standing("ttft_ms_p95 <= 500", 400.0, 500.0, kept=True, baseline=812.0, baseline_kept=False)
    forged = replace(kept, constraint=f"{FORGED} <= 500")
    endless = [replace(kept, **{name: float("inf")}) for name in ("value", "bound", "baseline")]
    found = replace(RESULT, constraints=(kept, forged, *endless), default_failure=None)
    finding = verified(found, _resource(bounded)).finding
    assert finding.constraints == (kept,)
    assert not finding.keep_default


@pytest.mark.parametrize("ended", ["TrialsExhausted", "GpuOutOfMemory", None])
def test_a_known_end_is_taken_over(ended: str | None) -> None:
    """Reasons and classes of errors of this version stay as the row has them."""
    assert result_written(_study(ended, *_trials()), _resource()).ended == ended


def test_an_end_that_only_looks_like_a_reason_is_unknown() -> None:
    """One word that no reason is called, such as a newer version's, is not taken over."""
    assert result_written(_study("BrandNew", *_trials()), _resource()).ended == ErrorClass.UNKNOWN


def test_choices_outside_the_space_are_left_out_and_commands_computed() -> None:
    """Of a row's choice only the parameters that the manifest allows, and numbers, are taken over."""
    (choice,) = verified(RESULT, _resource()).finding.choices
    assert choice.choice.source_trial == 7
    assert choice.serve_command is not None
    assert FORGED not in f"{choice.serve_command} {choice.request_fields}"
    assert "--parallel 4" in choice.serve_command


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
        ("sampling", "temperature", -float("inf"), "sampling.temperature = -inf"),
        ("sampling", "temperature", 10**400, "sampling.temperature = 1000"),
        ("engine", "n_parallel", -(10**400), "engine.n_parallel = -1000"),
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
    assert found.finding.trial is None
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

    def parameters(**engine: Any) -> OptimizationFinding:
        return replace(RESULT, parameters={"engine": engine, "sampling": {}, "prompt": {}})

    assert verified(parameters(flash_attn="on", cache_prompt=False), resource).problem is None
    assert verified(parameters(flash_attn="auto"), resource).problem is not None
    assert verified(parameters(cache_prompt=0), resource).problem is not None


def test_where_the_default_is_kept_its_command_is_reported() -> None:
    """Without a proven gain the command serves the default, as computed here."""
    effect = difference_effect("accuracy", "maximize", 0.5, 0.1, Interval(-0.1, 0.3))
    kept = replace(RESULT, effects=(effect,), significant=False, default_failure=None)
    found = verified(kept, _resource())
    assert found.finding.keep_default
    assert found.finding.serve_command is not None
    assert "--temp" not in found.finding.serve_command


def test_a_study_with_a_space_of_its_own_is_not_believed(tmp_path: Path) -> None:
    """A user who makes the study's rows first, with another space and the right fingerprint, wins nothing."""
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
        picture = study.picture()
    found = verified(finding_of(picture, summarise(picture)), resource)
    assert found.problem is not None
    assert found.problem.reason is Reason.PARAMETERS_OUTSIDE_SPACE
    assert result_written(picture, resource).trial is None


@given(
    st.dictionaries(
        st.sampled_from(["n_parallel", "threads", "$(A)"]) | st.text(max_size=8),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
        max_size=3,
    ).filter(lambda found: "" not in found)
)
def test_whatever_a_row_holds_only_the_space_is_used(engine: dict[str, Any]) -> None:
    """Any parameters give either a reason, or arguments of whole numbers inside the space."""
    result = replace(RESULT, parameters={"engine": engine, "sampling": {}, "prompt": {}})
    found = verified(result, _resource())
    if found.problem is None:
        assert set(engine) <= {"n_parallel"}
        assert found.finding.serve_arguments is not None
        numbers = found.finding.serve_arguments.given[1::2]
        assert all(number.isdigit() for number in numbers)
