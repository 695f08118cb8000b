import pytest

from llmopt_core.resources.loading import document_of
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
            "workload.max_tokens: 32: expected no such field (did you mean maxTokens?)",
        ),
        ("1h", "0s", 'budget.duration: "0s": expected a duration longer than 0, such as 45s, 10m or 1h30m'),
        (
            "{name: llamacpp}",
            "llamacpp",
            'engine: "llamacpp": expected fields with values (there are name, args, endpoint, startTimeout)',
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
        ("./m.gguf", "file:// and its absolute path"),
        ("~/models/m", "file:// and its absolute path"),
        ("$HOME/m", "file:// and its absolute path"),
    ],
)
def test_what_was_meant_as_a_source_is_said(source, hint):
    """A name, a page of the hub and a path each have their way to be written."""
    (fault,) = said("file:///model.gguf", source)
    assert hint in fault


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
