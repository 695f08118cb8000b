import pytest

from llmopt_core.engines.registry import BUILT_IN
from llmopt_core.resources.benchmark import LLMBenchmark
from llmopt_core.resources.faults import nearest_name
from llmopt_core.resources.field_hints import OTHER_CHOICES, OTHER_NAMES, SHORT_FORMS, all_paths
from llmopt_core.resources.loading import document_of
from llmopt_core.resources.openapi import root_schema
from llmopt_core.resources.optimization import LLMOptimization
from llmopt_core.resources.texts import YAML_ERRORS, yaml_documents, yaml_fault, yaml_line
from llmopt_core.resources.validation import validate

TEXT = """
apiVersion: llmopt.dev/v1alpha1
kind: LLMOptimization
metadata: {name: mine}
spec:
  model: {source: 'file:///model.gguf'}
  engine: {name: llamacpp}
  workload:
    dataset: {name: arithmetic}
    maxTokens: 32
  search: {preset: balanced}
  objectives:
  - metric: accuracy
  constraints:
  - metric: ttft_ms_p95
    max: '500'
  budget: {trials: 20, duration: 1h}
"""


def said(before, after):
    """Return the faults, one a line, of the manifest with `after` in the place of `before`."""
    assert before in TEXT
    return [str(fault) for fault in validate(document_of(TEXT.replace(before, after)))]


def test_the_manifest_is_valid():
    """What the tests below break was whole."""
    assert said("mine", "ours") == []


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        (
            "maxTokens",
            "max_tokens",
            "workload.max_tokens: unknown field (did you mean maxTokens?)",
        ),
        ("1h", "0s", 'budget.duration: "0s": expected a duration longer than 0, such as 45s, 10m or 1h30m'),
        (
            "{name: llamacpp}",
            "llamacpp",
            'engine: "llamacpp": expected fields with values (write engine: {name: llamacpp})',
        ),
        (
            "'500'",
            "500ms",
            (
                'constraints[0].max: "500ms": expected a decimal number in quotes and without a unit, such as'
                ' "0.7" (the metric\'s name says its unit: ms are milliseconds, mib are MiB)'
            ),
        ),
    ],
)
def test_a_mistake_is_one_fault_that_says_what_to_write(before, after, fault):
    """The field, the value, and what stands there when it is right."""
    assert said(before, after) == [f"spec.{fault}"]


def test_a_missing_kind_is_said_to_be_missing():
    """The names of the kinds are there once."""
    assert said("kind: LLMOptimization\n", "") == [
        "kind: expected one of LLMOptimization, LLMBenchmark: the field is missing"
    ]


@pytest.mark.parametrize(
    ("bound", "metric"),
    [("min: '60'", "accuracy"), ("max: '-1'", "accuracy"), ("max: '5'", "failed_requests_ratio")],
)
def test_a_limit_that_no_score_can_have_is_a_fault(bound, metric):
    """A percentage as a number is the usual reason; the fault names the share."""
    (fault, *_) = said("metric: ttft_ms_p95\n    max: '500'", f"metric: {metric}\n    {bound}")
    assert f"expected a number from 0 to 1, as {metric} is (0.6 is 60 %)" in fault


def test_a_target_that_no_score_can_reach_is_a_fault():
    """The search would never end early, and nobody would know why."""
    (fault,) = said("trials: 20", "trials: 20, target: {metric: accuracy, value: '90'}")
    assert fault.startswith('spec.budget.target.value: "90": expected a number from 0 to 1')


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("Qwen/Qwen3-0.6B", "did you mean hf://Qwen/Qwen3-0.6B?"),
        ("https://huggingface.co/Qwen/Qwen3-0.6B", "did you mean hf://Qwen/Qwen3-0.6B?"),
        ("https://huggingface.co/a/b/blob/main/c.gguf", "did you mean hf://a/b/c.gguf?"),
        ("https://huggingface.co/a/b/tree/v2?x=1", "did you mean hf://a/b@v2?"),
        ("hf:Qwen/Qwen3-0.6B", "did you mean hf://Qwen/Qwen3-0.6B?"),
        ("huggingface.co/Qwen/Qwen3-0.6B", "did you mean hf://Qwen/Qwen3-0.6B?"),
        ("./m.gguf", "file:// and its absolute path"),
        ("~/models/m", "file:// and its absolute path"),
        ("$HOME/m", "file:// and its absolute path"),
    ],
)
def test_what_was_meant_as_a_source_is_said(source, hint):
    """A name, a page of the hub and a path each have their way to be written."""
    (fault,) = said("file:///model.gguf", source)
    assert hint in fault


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        (
            "  search:",
            "  trials: 5\n  search:",
            "spec.trials: unknown field (did you mean spec.budget.trials?)",
        ),
        (
            "  search:",
            "  dataset: x\n  search:",
            "spec.dataset: unknown field (did you mean spec.workload.dataset?)",
        ),
        ("  search:", "  name: x\n  search:", "spec.name: unknown field (did you mean metadata.name?)"),
        (
            "  search:",
            "  n_ctx: 8\n  search:",
            "spec.n_ctx: unknown field (did you mean spec.engine.args.n_ctx?)",
        ),
        ("maxTokens", "concurrency", "unknown field (did you mean spec.workload.load.concurrency?)"),
        ("maxTokens", "temperature", "unknown field (did you mean spec.workload.sampling.temperature?)"),
        ("preset: balanced", "preset: balanced, optimizer: tpe", "did you mean spec.search.sampler?"),
        ("duration", "timeout", "did you mean spec.budget.duration or spec.budget.trialTimeout?"),
        (
            "metric: accuracy",
            "metric: accuracy\n    direction: maximize",
            "did you mean spec.objectives[0].goal?",
        ),
        ("trials: 20", "trials: 20, whatever: 1", "unknown field (there are trials, duration, "),
    ],
)
def test_a_field_in_a_wrong_place_or_by_another_name_is_shown_its_own(before, after, fault):
    """The schema says where a field of that name is; other tools' words are known."""
    (found,) = said(before, after)
    assert fault in found


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ("{source: 'file:///model.gguf'}", "o/n", "(write model: {source: 'hf://o/n'})"),
        (
            "{trials: 20, duration: 1h}",
            "20",
            "spec.budget: 20: expected fields with values (write budget: {trials: 20})",
        ),
        ("{name: arithmetic}", "arithmetic", "(write dataset: {name: arithmetic})"),
        ("- metric: accuracy", "- accuracy", "(write - metric: accuracy)"),
        (
            "- metric: ttft_ms_p95\n    max: '500'",
            "- ttft_ms_p95<=500",
            "(write - {metric: ttft_ms_p95, max: '500'})",
        ),
        (
            "  search:",
            "  confirm: true\n  search:",
            "(it is on by default; confirm: {top: 0} switches it off)",
        ),
        ("preset: balanced", "preset: balanced, sampler: tpe", "(write sampler: {name: tpe})"),
    ],
)
def test_a_short_form_is_shown_in_full(before, after, fault):
    """Where a part is given by its one value, the line that was meant is said."""
    (found,) = said(before, after)
    assert fault in found


@pytest.mark.parametrize(
    ("space", "written"),
    [
        ("{engine.n_ctx: [256, 512]}", "write engine: [{name: n_ctx, categorical: {choices: [256, 512]}}]"),
        ("{n_ctx: {low: 256, high: 512}}", "write engine: [{name: n_ctx, int: {low: 256, high: 512}}]"),
        ("{sampling.top_p: {low: 0, high: 1}}", "[{name: top_p, float: {low: '0', high: '1'}}]"),
        ("{sampling: {top_p: {min: 0.5, max: 1}}}", "[{name: top_p, float: {low: '0.5', high: '1'}}]"),
        ("{engine: [{n_ctx: [256]}]}", "write - {name: n_ctx, categorical: {choices: [256]}}"),
        (
            "{engine: [{name: n_ctx, choices: [256]}]}",
            "did you mean spec.search.space.engine[0].categorical.choices?",
        ),
        ("{engine: [n_ctx]}", "write - name: n_ctx"),
    ],
)
def test_a_dimension_is_shown_as_an_entry_of_the_list(space, written):
    """What is written in the form of a mapping is repeated in the form that it has here."""
    assert any(written in fault for fault in said("preset: balanced", f"space: {space}"))


@pytest.mark.parametrize("space", ["engine: [{name: n_ctx, categorical: {choices: [256, 512]}}]"])
def test_a_dimension_that_was_shown_is_valid(space):
    """What a hint writes can be pasted."""
    assert said("preset: balanced", f"space: {{{space}}}") == []


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ("llamacpp}", "LlamaCPP}", "did you mean llamacpp?"),
        ("preset: balanced", "preset: balanced, sampler: {name: bayes}", "did you mean auto or gp?"),
        ("metric: accuracy", "metric: accuracy\n    goal: max", "did you mean maximize?"),
        ("llamacpp}", "llamacpp, args: {ctx_size: 8}}", "did you mean n_ctx?"),
        ("llamacpp}", "llamacpp, args: {ctx-size: 8}}", "did you mean n_ctx?"),
        ("llamacpp}", "llamacpp, args: {top_k: 8}}", "sampling.top_k is set in workload.sampling"),
        ("maxTokens: 32", "sampling: {temp: '0.5'}", "did you mean temperature?"),
        ("{name: llamacpp}", "{name: sglang, args: {tp_size: 2}}", "did you mean tensor_parallel_size?"),
        ("duration: 1h", "gpuHours: -1", 'a decimal number in quotes, such as "0.7" (gpuHours above 0)'),
    ],
)
def test_a_value_by_another_name_is_shown_its_own(before, after, fault):
    """Case, words of other tools, an engine's own flags, and the group that a parameter is of."""
    assert any(fault in found for found in said(before, after))


def test_a_name_that_is_only_a_little_alike_is_not_suggested():
    """Three letters of five are no typing error: `bayes` is not cmaes."""
    assert nearest_name("bayes", ["cmaes", "tpe"]) is None


def test_every_word_of_the_tables_names_a_field_or_choice_that_there_is():
    """A hint never sends anybody to a field that was renamed."""
    schema = root_schema(LLMOptimization)
    names = {str(path[-1]) for path in all_paths(schema)} | {
        str(path[-1]) for path in all_paths(root_schema(LLMBenchmark))
    }
    assert {each for meant in OTHER_NAMES.values() for each in meant} <= names
    assert {*SHORT_FORMS, *SHORT_FORMS.values()} <= names
    samplers = schema["properties"]["spec"]["properties"]["search"]["properties"]
    choices = {"maximize", "minimize", *(samplers["sampler"]["properties"]["name"]["enum"])}
    assert {each for meant in OTHER_CHOICES.values() for each in meant} <= choices


@pytest.mark.parametrize("declaration", BUILT_IN.values(), ids=lambda one: one.name)
def test_other_names_are_those_of_parameters(declaration):
    """What an engine's own flag is called leads to a parameter that is declared."""
    assert set(declaration.other_names.values()) <= set(declaration.parameters)


def test_a_suggested_source_is_valid():
    """What the page of a file is turned into can be pasted."""
    assert said("file:///model.gguf", "hf://a/b/c.gguf") == []


def test_a_quote_that_is_not_closed_is_shown_where_it_opens():
    """The end of the file, where the parser gives up, says nothing."""
    text = "a: 1\nb: 'two\nc: 3\n"
    with pytest.raises(YAML_ERRORS) as caught:
        yaml_documents(text)
    assert yaml_line(caught.value) == 2
    assert "a quote at line 2, column 4 begins (close the quote)" in str(yaml_fault(caught.value, text))


def _served(engine, source):
    text = TEXT.replace("{name: llamacpp}", engine).replace("'file:///model.gguf'", source)
    return [str(fault) for fault in validate(document_of(text))]


@pytest.mark.parametrize("engine", ["{name: vllm}", "{name: sglang}", "{name: transformers}"])
@pytest.mark.parametrize(
    ("source", "whole"),
    [
        ("hf://org/name/model.safetensors", "hf://org/name"),
        ("hf://org/name/part/model.bin@v1", "hf://org/name@v1"),
    ],
)
def test_one_file_of_a_repository_is_answered_with_the_repository(engine, source, whole):
    """An engine for whole repositories would refuse it at its start; the source that is shown is valid."""
    (fault,) = _served(engine, source)
    assert fault.startswith("spec.model.source: ")
    assert fault.endswith(f"(write {whole})")
    assert not _served(engine, whole)


def test_a_gguf_file_is_answered_with_its_engine():
    """vLLM and the others serve none."""
    (fault,) = _served("{name: vllm}", "hf://org/name/m.gguf")
    assert fault.endswith("(use engine llamacpp for this file)")
    assert not _served("{name: llamacpp}", "hf://org/name/m.gguf")


def test_an_endpoint_may_serve_one_file():
    """The files are the server's: their name is only a name here."""
    assert not _served("{name: openai, endpoint: {url: 'http://localhost:1234/v1'}}", "hf://org/name/m.gguf")
