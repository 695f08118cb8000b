"""What a file of models may say, and how each fault is reported."""

from pathlib import Path

import pytest

from llmopt.named_models.entries import ModelsInvalid, parsed

FILE = Path("models.yaml")
WHOLE = """
models:
  big:
    source: Qwen/Qwen3-32B
    engine: vllm
    description: the one for production
    device: cuda
    dtype: bfloat16
    quantization: {load_in_4bit: false, load_in_8bit: false}
    max_batch_size: 64
    tensor_parallel_size: 4
    pipeline_parallel_size: 2
    trust_remote_code: true
    args: {max_model_len: 8192, gpu_memory_utilization: "0.9"}
"""


def test_every_field_is_read():
    """All fields of a model arrive, with their types."""
    big = parsed(WHOLE, FILE)["big"]
    assert (big.source, big.engine, big.description) == ("Qwen/Qwen3-32B", "vllm", "the one for production")
    assert (big.tensor_parallel_size, big.pipeline_parallel_size, big.max_batch_size) == (4, 2, 64)
    assert big.trust_remote_code
    assert big.args == {"max_model_len": 8192, "gpu_memory_utilization": "0.9"}


def test_the_former_names_of_source_and_engine_are_accepted():
    """model_path and model_type mean source and engine."""
    model = parsed("models: {a: {model_path: x/y, model_type: transformers}}", FILE)["a"]
    assert (model.source, model.engine) == ("x/y", "transformers")


@pytest.mark.parametrize("text", ["", "# nothing yet", "models: {}"])
def test_an_empty_file_names_no_models(text):
    """A file that was just begun is no error."""
    assert parsed(text, FILE) == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("models:\n  a: {engine: vllm}", "models.yaml:2: models.a.source: expected a value"),
        (
            "models:\n  a:\n    source: x/y\n    engin: vllm",
            "models.yaml:4: models.a.engin: .*did you mean engine",
        ),
        ("models: {a: {source: x/y, dtype: 3}}", 'models.a.dtype: 3: expected text: write it in quotes, "3"'),
        ("models: {a: {source: x/y, max_batch_size: 0}}", "models.a.max_batch_size: 0: expected at least 1"),
        ("models: {a: {source: x/y, trust_remote_code: 'yes'}}", "expected true or false, without quotes"),
        ("models: {a: {source: x/y, args: {f: 0.9}}}", 'write decimals in quotes, "0.9"'),
        ("models: {a: {source: x/y, quantization: {load_in_2bit: true}}}", "did you mean load_in_"),
        ("models: {'a b': {source: x/y}}", "expected a name of letters"),
        ("models:\n  a: {source: x/y}\n  a: {source: x/z}", "each name once: it stands twice"),
        ("model: {}", "did you mean models"),
        ("- a", "expected fields with values"),
        ("models: [", "models.yaml:2: models: expected YAML"),
        ("models: {}\n---\nmodels: {}", "one document"),
    ],
)
def test_a_fault_has_its_line_value_and_what_to_do(text, said):
    """Each fault of the file is one line."""
    with pytest.raises(ModelsInvalid, match=said):
        parsed(text, FILE)


def test_all_faults_are_reported_at_once():
    """Nobody corrects a file one message at a time."""
    with pytest.raises(ModelsInvalid) as caught:
        parsed("models: {a: {source: 1, engine: 2}, b: {}}", FILE)
    assert len(caught.value.faults) == 3
