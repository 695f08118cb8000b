"""What is searched when a manifest names a purpose instead of a space."""

import random
from dataclasses import replace

import pytest

from llmopt_core.engines.declarations import EngineDeclaration
from llmopt_core.engines.registry import BUILT_IN
from llmopt_core.resources.presets import preset_space
from llmopt_core.resources.search_spaces import build_space, complete
from llmopt_core.search.spaces import ChoiceDimension

LLAMACPP, OPENAI, TRANSFORMERS, VLLM = (
    BUILT_IN[name] for name in ("llamacpp", "openai", "transformers", "vllm")
)
CAUTIOUS = ["sampling.temperature", "sampling.top_p", "sampling.min_p"]
LLAMACPP_SERVER = [
    "engine.n_parallel", "engine.n_batch", "engine.n_ubatch", "engine.flash_attn", "engine.cache_type_k",
    "engine.cache_type_v",
]  # fmt: skip
TRANSFORMERS_SERVER = [
    "engine.continuous_batching", "engine.cb_block_size", "engine.cb_max_batch_tokens", "engine.quantization",
    "engine.bnb_4bit_compute_dtype", "engine.attn_implementation",
]  # fmt: skip
VLLM_SERVER = ["engine.max_num_seqs", "engine.max_num_batched_tokens", "engine.enable_prefix_caching"]
FEW_SHOT = ["prompt.few_shot"]
PENALISED = [*CAUTIOUS, "sampling.repetition_penalty"]

TABLE = [
    (LLAMACPP, "balanced", [*LLAMACPP_SERVER, *CAUTIOUS, *FEW_SHOT]),
    (LLAMACPP, "accuracy", [*CAUTIOUS, *FEW_SHOT]),
    (LLAMACPP, "creativity", [*CAUTIOUS, "sampling.repeat_penalty"]),
    (LLAMACPP, "speed", LLAMACPP_SERVER),
    (TRANSFORMERS, "balanced", [*TRANSFORMERS_SERVER, *CAUTIOUS, *FEW_SHOT]),
    (TRANSFORMERS, "accuracy", [*CAUTIOUS, *FEW_SHOT]),
    (TRANSFORMERS, "creativity", PENALISED),
    (TRANSFORMERS, "speed", TRANSFORMERS_SERVER),
    (VLLM, "balanced", [*VLLM_SERVER, *CAUTIOUS, *FEW_SHOT]),
    (VLLM, "accuracy", [*CAUTIOUS, *FEW_SHOT]),
    (VLLM, "creativity", PENALISED),
    (VLLM, "speed", VLLM_SERVER),
    (OPENAI, "balanced", [*CAUTIOUS[:2], *FEW_SHOT]),
    (OPENAI, "accuracy", [*CAUTIOUS[:2], *FEW_SHOT]),
    (OPENAI, "creativity", [*CAUTIOUS[:2], "sampling.presence_penalty", "sampling.frequency_penalty"]),
    (OPENAI, "speed", []),
]
# What a manifest may fix beside a preset, and what stays of the speed preset's or the creative one's space.
FIXED = [
    (LLAMACPP, "speed", {"engine.flash_attn": "off"}, {"engine.cache_type_v": False}),
    (LLAMACPP, "speed", {"engine.flash_attn": "on"}, {"engine.cache_type_v": True}),
    (LLAMACPP, "speed", {"engine.n_batch": 4}, {"engine.n_parallel": False}),
    (LLAMACPP, "accuracy", {"sampling.temperature": 0.7}, {"sampling.top_p": True}),
    (LLAMACPP, "accuracy", {"sampling.temperature": 0.0}, {"sampling.top_p": False}),
    (TRANSFORMERS, "speed", {"engine.continuous_batching": True},
     {"engine.cb_block_size": True, "engine.quantization": False, "engine.bnb_4bit_compute_dtype": False}),
    (TRANSFORMERS, "speed", {"engine.quantization": "bnb-4bit"}, {"engine.bnb_4bit_compute_dtype": True}),
    (TRANSFORMERS, "speed", {"engine.continuous_batching": False},
     {"engine.cb_block_size": False, "engine.quantization": True}),
    (TRANSFORMERS, "creativity", {"engine.continuous_batching": True},
     {"sampling.repetition_penalty": False}),
    (VLLM, "speed", {"engine.max_num_seqs": 4096}, {"engine.max_num_batched_tokens": False}),
    (VLLM, "speed", {"engine.max_model_len": 4096, "engine.enable_chunked_prefill": False},
     {"engine.max_num_batched_tokens": False}),
    (OPENAI, "balanced", {"engine.sampling_extensions": "min_p"}, {"sampling.min_p": True}),
]  # fmt: skip


def names(preset, declaration, fixed):
    return [name for name, _ in preset_space(preset, declaration, fixed).all_parameters()]


def identified(value):
    return value.name if isinstance(value, EngineDeclaration) else None


@pytest.mark.parametrize(("declaration", "preset", "expected"), TABLE, ids=identified)
def test_each_engine_is_searched_in_what_matters_to_the_purpose(declaration, preset, expected):
    """The parameters are those of the table, in the order in which they are asked."""
    assert names(preset, declaration, {}) == expected


def drawn(space, declaration, fixed, rng):
    """Draw one configuration from the space, as a sampler does."""
    values = {}
    for parameter in build_space(space, declaration).parameters:
        if parameter.active(values):
            dimension = parameter.dimension
            if isinstance(dimension, ChoiceDimension):
                values[parameter.name] = rng.choice(dimension.choices)
            else:
                values[parameter.name] = rng.choice((dimension.low, dimension.high))
    return values, complete(values, dict(fixed), declaration)


@pytest.mark.parametrize(
    ("declaration", "preset", "fixed"),
    [(each[0], each[1], {}) for each in TABLE] + [each[:3] for each in FIXED],
    ids=identified,
)
def test_no_configuration_of_a_preset_is_refused(declaration, preset, fixed):
    """The engine takes every corner of the space, together with what the manifest fixes."""
    rng = random.Random(0)
    space = preset_space(preset, declaration, fixed)
    for _ in range(300):
        _, configuration = drawn(space, declaration, fixed, rng)
        assert declaration.conflicts(configuration) == ()


@pytest.mark.parametrize(("declaration", "preset", "_expected"), TABLE, ids=identified)
def test_no_parameter_is_asked_where_it_has_no_effect(declaration, preset, _expected):
    """What is asked is in the canonical configuration as it was asked: a condition keeps what is idle out."""
    rng = random.Random(1)
    space = preset_space(preset, declaration, {})
    for _ in range(300):
        values, configuration = drawn(space, declaration, {}, rng)
        flat = configuration.flat()
        assert {name: flat.get(name) for name in values} == pytest.approx(values)


@pytest.mark.parametrize(("declaration", "preset", "fixed", "searched"), FIXED, ids=identified)
def test_what_the_manifest_fixes_decides_what_is_searched(declaration, preset, fixed, searched):
    """A fixed parameter leaves the space, and takes along what has no effect or is refused beside it."""
    found = names(preset, declaration, fixed)
    assert not set(fixed) & set(found)
    assert {name: name in found for name in searched} == searched


def test_a_plug_ins_engine_is_searched_in_what_it_declares():
    """Of llama.cpp's names those that the engine has; an engine without any has the prompt alone."""
    temperature = LLAMACPP.parameters["sampling.temperature"]
    plugin = replace(LLAMACPP, name="mine", parameters={temperature.full_name: temperature})
    plugin = replace(plugin, canonical=lambda same: same, conflicts=lambda _: ())
    assert names("balanced", plugin, {}) == ["sampling.temperature", "prompt.few_shot"]
    assert names("speed", plugin, {}) == []
