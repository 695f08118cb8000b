"""Which types of weights and of KV cache vLLM takes: by the model's files, and by the GPU."""

import pytest

from llmopt_core.engines.gpus import Gpu
from llmopt_core.engines.vllm.declaration import VLLM
from llmopt_core.engines.vllm.known_arguments import VERSION
from llmopt_core.engines.vllm.quantisation import (
    CAPABILITIES,
    KV_CACHES,
    METHODS,
    ModelFormat,
    unsupported,
)
from llmopt_core.engines.vllm.quantisation import VERSION as ASKED_VERSION

V100, T4, A100, L4, H100, B200, RTX5090 = (
    Gpu("gpu0 (Tesla V100)", 70), Gpu("gpu0 (Tesla T4)", 75), Gpu("gpu0 (NVIDIA A100)", 80),
    Gpu("gpu0 (NVIDIA L4)", 89), Gpu("gpu0 (NVIDIA H100)", 90), Gpu("gpu0 (NVIDIA B200)", 100),
    Gpu("gpu0 (NVIDIA GeForce RTX 5090)", 120),
)  # fmt: skip
PLAIN = ModelFormat("", "full")


def _refused(model=PLAIN, gpu=None, **engine):
    return unsupported(engine, model, [] if gpu is None else [gpu])


def test_the_rules_are_of_the_declared_version():
    """Both are read from the same package."""
    assert ASKED_VERSION == VERSION


@pytest.mark.parametrize("name", ["quantization", "kv_cache_dtype"])
def test_every_declared_value_is_known(name):
    """A value that the rules do not know would be let pass."""
    known = {*METHODS} if name == "quantization" else {"auto", *KV_CACHES["full"]}
    assert set(VLLM.parameters[f"engine.{name}"].choices) <= known


@pytest.mark.parametrize(
    ("stored", "asked"),
    [
        ("", "fp8"),
        ("", "fp8_per_block"),
        ("", "mxfp4"),
        ("awq", "awq_marlin"),
        ("gptq", "gptq_marlin"),
        ("fp8", "fp8"),
        ("compressed-tensors pack-quantized", "compressed-tensors"),
        ("modelopt NVFP4", "modelopt_fp4"),
        ("modelopt NEW", "modelopt"),
        ("mxfp4", "mxfp4"),
        (None, "awq"),
        (None, "fp8"),
    ],
)
def test_methods_load_what_is_stored_so(stored, asked):
    """Unset is always right; what is not known of the files refuses nothing."""
    for engine in ({}, {"quantization": asked}):
        assert not _refused(ModelFormat(stored, "full"), H100, **engine)


@pytest.mark.parametrize("asked", ["awq", "gptq", "compressed-tensors", "modelopt", "torchao"])
def test_methods_for_quantised_files_do_not_load_plain_ones(asked):
    """Whatever the GPU; the message says what quantises plain weights instead."""
    (message,) = _refused(quantization=asked)
    assert message.startswith(f"engine.quantization {asked} ")
    assert "not quantised" in message
    assert "fp8_per_tensor" in message


@pytest.mark.parametrize("stored", ["awq", "gptq", "fp8", "compressed-tensors", "mxfp4", "torchao"])
@pytest.mark.parametrize("asked", ["fp8_per_tensor", "nvfp4_per_token", "int8_per_channel_weight_only"])
def test_quantised_files_are_not_quantised_again(stored, asked):
    """The message names the parameter, its value and what the files have."""
    (message,) = _refused(ModelFormat(stored, "full"), H100, quantization=asked)
    assert message.startswith(f"engine.quantization {asked} quantises plain weights")
    assert f"already, as {stored}: leave it out" in message


@pytest.mark.parametrize(("stored", "asked"), [("awq", "gptq"), ("gptq", "awq"), ("fp8", "modelopt")])
def test_a_method_does_not_load_what_is_stored_otherwise(stored, asked):
    """The way out names the methods that do."""
    (message,) = _refused(ModelFormat(stored), quantization=asked)
    assert f"engine.quantization {asked} does not load" in message
    assert f"stored as {stored}" in message


@pytest.mark.parametrize("model_type", ["gpt_oss", "deepseek_v4"])
def test_models_with_formats_of_their_own_take_any_method(model_type):
    """vLLM loads them by the method for their family, whatever is asked for."""
    stored = {"gpt_oss": "mxfp4", "deepseek_v4": "fp8"}[model_type]
    assert not _refused(ModelFormat(stored, model_type=model_type), quantization="awq")
    assert _refused(ModelFormat(stored, model_type="llama"), quantization="awq")


@pytest.mark.parametrize("stored", ["bitsandbytes", "hqq", "gguf"])
def test_files_that_vllm_does_not_load_are_refused_unless_a_plug_in_may(stored):
    """Whatever is asked for."""
    (message,) = _refused(ModelFormat(stored))
    assert message.startswith("spec.model.source")
    assert f"stored as {stored}, which vLLM {VERSION} does not load" in message
    assert not _refused(ModelFormat(stored, plug_ins=True))


@pytest.mark.parametrize(
    ("model", "gpu", "asked", "words"),
    [
        (PLAIN, V100, "fp8", "engine.quantization fp8 needs a GPU of compute capability 7.5 or more"),
        (PLAIN, T4, "experts_int8", "engine.quantization experts_int8 needs .* 8.0 or more"),
        (ModelFormat("fp8"), V100, None, "whose weights are stored as fp8, needs .* 7.5 or more"),
        (ModelFormat("mxfp4"), T4, None, "whose weights are stored as mxfp4, needs .* 8.0 or more"),
        (ModelFormat("modelopt MXFP8"), T4, None, "stored as modelopt MXFP8, needs .* 8.0"),
        (ModelFormat("compressed-tensors mxfp4-pack-quantized"), T4, None, "needs .* 8.0"),
        (ModelFormat(None), V100, "fp8", "engine.quantization fp8 needs"),
        (ModelFormat("", has_experts=True), H100, "nvfp4_per_token", "of experts needs .* 10.0 or 10.3"),
    ],
)
def test_a_method_needs_a_gpu_of_its_compute_capability(model, gpu, asked, words):
    """The message names the parameter or the files, and the GPU with its own."""
    engine = {} if asked is None else {"quantization": asked}
    (message,) = _refused(model, gpu, **engine)
    assert _matches(words, message), message
    assert message.endswith(f"{gpu.name} has {gpu.capability_text}")
    assert not unsupported(engine, model, [])


def _matches(words, message):
    parts = words.split(" .* ")
    return all(part in message for part in parts)


@pytest.mark.parametrize("gpu", [T4, A100, L4, H100, B200, RTX5090])
@pytest.mark.parametrize(
    "stored", ["fp8", "awq", "gptq", "modelopt NVFP4", "compressed-tensors float-quantized"]
)
def test_weights_without_native_support_are_weight_only(gpu, stored):
    """From 7.5 on they are computed with in 16 bits."""
    assert not _refused(ModelFormat(stored, "full"), gpu)


@pytest.mark.parametrize(
    ("cache", "attention", "taken", "refused"),
    [
        ("fp8", "full", [A100, L4, H100, B200, RTX5090], [V100, T4]),
        ("fp8_e5m2", "full", [A100, H100], [T4]),
        ("fp8_per_token_head", "full", [L4, H100], [T4, A100]),
        ("int8_per_token_head", "full", [V100, T4, A100, H100], []),
        ("nvfp4", "full", [A100, H100, B200, RTX5090], [T4]),
        ("fp8_inc", "full", [], [A100, H100]),
        ("fp8", "latent", [L4, H100, B200], [T4, A100]),
        ("nvfp4", "latent", [], [A100, H100, B200]),
        ("fp8_ds_mla", "latent", [], [H100]),
        ("fp8_ds_mla", "sparse latent", [H100, B200], [A100]),
        ("nvfp4_ds_mla", "sparse latent", [B200], [H100]),
        ("auto", "latent", [T4, A100, H100], []),
    ],
)
def test_a_type_of_cache_needs_a_kernel_for_the_attention_and_the_gpu(cache, attention, taken, refused):
    """The message names the value, the GPU and what it takes instead."""
    model = ModelFormat("", attention)
    for gpu in taken:
        assert not _refused(model, gpu, kv_cache_dtype=cache), gpu
    for gpu in refused:
        (message,) = _refused(model, gpu, kv_cache_dtype=cache)
        assert f"engine.kv_cache_dtype {cache} is not supported for {attention} attention by" in message
        assert f"{gpu.name}, of compute capability {gpu.capability_text}" in message


def test_a_type_that_the_files_ask_for_counts_where_none_is_asked_for():
    """A checkpoint that asks for an fp8 cache needs a GPU with it, unless another type is asked for."""
    model = ModelFormat("modelopt FP8", "latent", cache_type="fp8")
    (message,) = _refused(model, A100)
    assert "engine.kv_cache_dtype auto (fp8, as the model's files ask)" in message
    assert not _refused(model, A100, kv_cache_dtype="bfloat16")


def test_a_type_that_no_attention_has_is_refused_for_any_model():
    """One that some have is not, where the model's is not known."""
    assert _refused(ModelFormat(None), T4, kv_cache_dtype="fp8")
    assert not _refused(ModelFormat(None), A100, kv_cache_dtype="fp8")


@pytest.mark.parametrize(
    ("model", "gpu", "engine", "words"),
    [
        (PLAIN, T4, {"dtype": "bfloat16"}, "engine.dtype bfloat16 needs a GPU of compute capability 8.0"),
        (ModelFormat("mxfp4"), None, {"dtype": "float16"}, "engine.dtype float16 does not go with"),
        (ModelFormat("awq"), None, {"dtype": "float32"}, "computes in bfloat16 or float16"),
        (PLAIN, None, {"dtype": "float32", "quantization": "fp8"}, "engine.quantization fp8 which computes"),
    ],
)
def test_a_type_of_weights_goes_with_types_that_are_computed_in(model, gpu, engine, words):
    """By the GPU, and by the method."""
    (message,) = _refused(model, gpu, **engine)
    assert words in message


@pytest.mark.parametrize(
    "engine", [{"kv_cache_dtype": "fp8"}, {"dtype": "bfloat16"}, {"quantization": "mxfp8"}]
)
def test_gpus_that_are_not_known_refuse_nothing(engine):
    """None at all, as on a CPU or without NVML; or one that is newer than the rules."""
    assert not unsupported(engine, PLAIN, [])
    newer = Gpu("gpu0", max(CAPABILITIES) + 9)
    assert not unsupported(engine, PLAIN, [newer])


def test_of_different_gpus_all_must_refuse():
    """The engine may be given the one that can."""
    assert not unsupported({"kv_cache_dtype": "fp8"}, PLAIN, [T4, A100])
    assert unsupported({"kv_cache_dtype": "fp8"}, PLAIN, [T4, V100])


def test_each_type_is_refused_for_itself():
    """Weights, computation and cache: three sentences."""
    refused = _refused(PLAIN, V100, quantization="fp8", dtype="bfloat16", kv_cache_dtype="fp8")
    assert len(refused) == 3
