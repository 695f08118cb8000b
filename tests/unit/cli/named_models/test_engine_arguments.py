"""What the fields of a named model mean to each engine."""

import re

import pytest

from llmopt.named_models.engine_arguments import engine_arguments
from llmopt.named_models.entries import NamedModel

FOUR = {"load_in_4bit": True}
EIGHT = {"load_in_8bit": True}


def arguments(engine, **fields):
    return engine_arguments(NamedModel.model_validate({"source": "x/y", **fields}), engine)


@pytest.mark.parametrize(
    ("engine", "fields", "expected"),
    [
        ("llamacpp", {"device": "cpu"}, {"n_gpu_layers": 0}),
        ("llamacpp", {"device": "cuda", "dtype": "auto"}, {}),
        ("llamacpp", {"max_batch_size": 4, "tensor_parallel_size": 1}, {"n_parallel": 4}),
        ("transformers", {"device": "cuda:1", "dtype": "float16"}, {"device": "cuda:1", "dtype": "float16"}),
        ("transformers", {"quantization": FOUR}, {"quantization": "bnb-4bit"}),
        ("transformers", {"quantization": EIGHT}, {"quantization": "bnb-8bit"}),
        ("transformers", {"quantization": {}}, {"quantization": "none"}),
        ("transformers", {"max_batch_size": 1}, {"continuous_batching": "false"}),
        ("transformers", {"max_batch_size": 8}, {"continuous_batching": "true"}),
        ("vllm", {"device": "cuda", "dtype": "bfloat16"}, {"dtype": "bfloat16"}),
        ("vllm", {"max_batch_size": 64}, {"max_num_seqs": 64}),
        ("sglang", {"max_batch_size": 64}, {"max_running_requests": 64}),
        (
            "vllm",
            {"tensor_parallel_size": 2, "pipeline_parallel_size": 3},
            {"tensor_parallel_size": 2, "pipeline_parallel_size": 3},
        ),
        ("vllm", {"quantization": {"load_in_4bit": False}}, {}),
        ("vllm", {"dtype": "auto", "args": {"max_model_len": 99}}, {"dtype": "auto", "max_model_len": 99}),
        ("openai", {}, {}),
        ("a_plug_in", {"args": {"anything": 1}}, {"anything": 1}),
    ],
)
def test_each_field_is_a_parameter_of_the_engine(engine, fields, expected):
    """What a field means depends on the engine alone; nothing is set that was not said."""
    assert arguments(engine, **fields) == (expected, ())


@pytest.mark.parametrize(
    ("engine", "fields", "said"),
    [
        (
            "llamacpp",
            {"device": "cuda:1"},
            'device: "cuda:1": expected auto, cuda or gpu .*CUDA_VISIBLE_DEVICES',
        ),
        ("llamacpp", {"dtype": "float16"}, 'dtype: "float16": expected auto with engine llamacpp'),
        (
            "llamacpp",
            {"quantization": FOUR},
            "quantization: .*load_in_4bit: true.*a quantised file as source",
        ),
        ("llamacpp", {"tensor_parallel_size": 2}, "tensor_parallel_size: 2: expected 1 .*take engine vllm"),
        ("llamacpp", {"max_batch_size": 999}, "max_batch_size: 999: expected a whole number from 1 to 256"),
        ("transformers", {"pipeline_parallel_size": 2}, "pipeline_parallel_size: 2: expected 1"),
        (
            "transformers",
            {"quantization": {**FOUR, **EIGHT}},
            "expected load_in_4bit or load_in_8bit",
        ),
        ("transformers", {"dtype": "float8"}, 'dtype: "float8": expected one of auto, float32'),
        ("vllm", {"device": "cpu"}, 'device: "cpu": expected auto, cuda or gpu'),
        ("vllm", {"quantization": EIGHT}, "quantization: .*take engine transformers"),
        ("vllm", {"max_batch_size": 4, "args": {"max_num_seqs": 8}}, "args.max_num_seqs: 8: .*remove one of"),
        ("vllm", {"args": {"max_modl_len": 8}}, "args.max_modl_len: .*did you mean max_model_len"),
        ("openai", {"dtype": "auto"}, "dtype: .*no value with engine openai"),
        ("a_plug_in", {"max_batch_size": 2}, "max_batch_size: 2: .*into args"),
    ],
)
def test_a_field_that_an_engine_cannot_be_given_is_named(engine, fields, said):
    """The fault has the field, its value, and what to do; it is never ignored."""
    _, faults = arguments(engine, **fields)
    assert len(faults) == 1
    assert re.search(said, str(faults[0]))
