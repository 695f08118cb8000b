"""The former JSON configuration as named models: what is kept, and that nothing is lost without a word."""

import pytest

from llmopt.manifests import OptionInvalid
from llmopt.named_models.entries import NamedModel
from llmopt.named_models.former_configuration import converted

WHOLE = {
    "name": "llama",
    "model_path": "meta-llama/Llama-3-8B",
    "model_type": "huggingface",
    "device": "cuda",
    "dtype": "torch.float16",
    "quantization": {"load_in_4bit": True, "load_in_8bit": False},
    "max_batch_size": 8,
    "tensor_parallel_size": 1,
    "pipeline_parallel_size": 1,
    "trust_remote_code": True,
    "description": "for tests",
}


def only(**fields):
    """Return the one converted model, and what was left out."""
    found = converted({"model_path": "a/b", "name": "m", **fields})
    (model,) = found.models.values()
    return model, found.left_out


def test_every_field_of_a_model_has_its_counterpart():
    """Nothing of a complete model is left out, and the result is valid."""
    found = converted({"models": [WHOLE]})
    assert found.left_out == ()
    model = NamedModel.model_validate(found.models["llama"])
    assert (model.source, model.engine) == ("meta-llama/Llama-3-8B", "transformers")
    assert (model.dtype, model.device, model.max_batch_size) == ("float16", "cuda", 8)
    assert model.quantization.load_in_4bit
    assert model.trust_remote_code
    assert model.description == "for tests"


@pytest.mark.parametrize(
    "document",
    [
        {"models": [WHOLE]},
        {"models": {"llama": {**WHOLE, "name": None}}},
        {"model": WHOLE},
        [WHOLE],
        WHOLE,
    ],
)
def test_models_are_found_where_a_configuration_holds_them(document):
    """A list, an object by name, or one model alone are all the same models."""
    assert converted(document).models == converted({"models": [WHOLE]}).models


@pytest.mark.parametrize(
    ("fields", "engine"),
    [
        ({"model_type": "vllm"}, "vllm"),
        ({"model_path": "m.gguf"}, "llamacpp"),
        ({"quantization": {"load_in_8bit": True}}, "transformers"),
        ({"load_in_8bit": True}, "transformers"),
        ({"tensor_parallel_size": 2}, "vllm"),
        ({}, None),
    ],
)
def test_the_engine_is_the_named_one_or_the_one_that_a_field_needs(fields, engine):
    """Where nothing decides it, the model will."""
    model, left_out = only(**fields)
    assert model.get("engine") == engine
    assert left_out == ()


OPTIONS = {
    "bnb_4bit_quant_type": "fp4",
    "bnb_4bit_use_double_quant": False,
    "bnb_4bit_compute_dtype": "torch.bfloat16",
}


@pytest.mark.parametrize(
    "fields",
    [{"quantization": {"load_in_4bit": True, **OPTIONS}}, {"load_in_4bit": True, **OPTIONS}],
    ids=["in quantization", "beside it"],
)
def test_options_of_4bit_weights_are_arguments_of_transformers(fields):
    """They have its names, and the values of a manifest."""
    model, left_out = only(**fields)
    assert left_out == ()
    assert NamedModel.model_validate(model).quantization.load_in_4bit
    assert model["args"] == {
        "bnb_4bit_quant_type": "fp4",
        "bnb_4bit_use_double_quant": "false",
        "bnb_4bit_compute_dtype": "bfloat16",
    }


@pytest.mark.parametrize(
    "fields",
    [
        {"quantization": {"load_in_8bit": True, "bnb_4bit_quant_type": "fp4"}},
        {"quantization": {"load_in_4bit": True, "bnb_4bit_quant_type": "nf5"}},
        {"model_path": "m.gguf", "quantization": {"bnb_4bit_quant_type": "fp4"}},
    ],
    ids=["8 bits", "unknown", "another engine"],
)
def test_options_that_would_have_no_effect_are_left_out(fields):
    """Nothing is given to an engine that has no such option, or not with this value."""
    model, left_out = only(**fields)
    assert "args" not in model
    (said,) = left_out
    assert said.startswith("model.quantization.bnb_4bit_quant_type")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"gradient_checkpointing": True}, "model.gradient_checkpointing true: belongs to training"),
        ({"use_magic": 3}, "model.use_magic 3: no counterpart in llmopt"),
        ({"model_type": "causal_lm"}, "model.model_type 'causal_lm': names no engine"),
        ({"quantization": "awq"}, "model.quantization 'awq': name a model that is quantised so"),
        (
            {"quantization": {"bnb_4bit_quant_type": "nf4"}},
            "model.quantization.bnb_4bit_quant_type 'nf4': the engine decides it",
        ),
        (
            {"model_type": "vllm", "device": "cpu"},
            "model.device 'cpu': expected auto, cuda or gpu with engine vllm",
        ),
        ({"model_type": "gguf", "dtype": "fp16"}, "model.dtype 'float16': expected auto"),
    ],
)
def test_what_has_no_counterpart_is_listed_with_its_value(fields, said):
    """Each field that is left out is one line that says why; the rest of the model is kept."""
    model, left_out = only(**fields)
    assert len(left_out) == 1
    assert left_out[0].startswith(said)
    assert model["source"] == "a/b"


def test_other_parts_of_the_configuration_are_listed():
    """What is an option of a command today is named so; training is not done here."""
    document = {"models": [WHOLE], "optimization": {"trials": 9, "gradient_checkpointing": True}, "x": [1]}
    trials, training, unknown = converted(document).left_out
    assert trials == "optimization.trials 9: give it to `llmopt optimize` as --trials"
    assert "belongs to training" in training
    assert unknown == "x [1]: no counterpart in llmopt"


def test_names_become_names_of_models_yaml():
    """Names with blanks, from a digit on, missing or doubled are made usable and unique."""
    given = [{"model_path": "a/b"}, {"model_path": "c/b"}, {"model_path": "d/e", "name": "7b q4"}]
    assert tuple(converted(given).models) == ("b", "b-2", "model-7b-q4")


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (3, "3: expected a JSON object"),
        ({}, "no model in it: expected a JSON object"),
        ({"models": 3}, "models: 3: expected a list of models"),
        ({"models": [{"name": "a"}]}, r"models\[0\]: .*expected a model with \"model_path\""),
        ({"models": {"a": "x/y"}}, "models.a: 'x/y': expected a model with"),
        ({"model_path": "a/b", "max_batch_size": "3"}, 'model.max_batch_size: "3": expected a whole number'),
        ({"model_path": "a/b", "quantization": {"load_in_4bit": "yes"}}, "load_in_4bit: .*true or false"),
    ],
)
def test_a_configuration_that_cannot_be_read_is_refused(document, said):
    """The error names the field, the value and what was expected."""
    with pytest.raises(OptionInvalid, match=said):
        converted(document)
