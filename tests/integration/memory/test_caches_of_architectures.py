"""What is predicted from the files of small models against what transformers caches and loads of them."""

import json
import shutil
import subprocess
from collections import Counter
from hashlib import sha256
from math import prod
from pathlib import Path

import pytest
from cluster.programs import cache, locked
from fakes.engine_environments import use_engine

from llmopt_runner.engines.transformers.engine import Transformers
from llmopt_runner.memory.layers import LayerKind
from llmopt_runner.memory.shapes import read_shape

LIMIT_SECONDS = 900
pytestmark = [pytest.mark.slow, pytest.mark.timeout(LIMIT_SECONDS + 60)]
SCRIPT = Path(__file__).with_name("measured_caches.py")
ARCHITECTURES = (
    "afmoe", "apertus", "arcee", "bamba", "bitnet", "bloom", "codegen", "cohere", "cohere2", "cwm",
    "deepseek_v2", "deepseek_v3", "deepseek_v32", "dots1", "ernie4_5_moe", "exaone4", "falcon", "falcon_h1",
    "falcon_mamba", "gemma", "gemma2", "gemma3_text", "gemma3n_text", "gemma4_text", "glm4", "glm4_moe",
    "gpt2", "gpt_bigcode", "gpt_neo", "gpt_oss", "granitemoehybrid", "hunyuan_v1_dense", "inkling_text",
    "jamba", "kolibri1", "laguna", "lfm2", "lfm2_moe", "llama", "llama4_text", "longcat_flash",
    "mamba", "mamba2", "mimo_v2_flash", "minimax_m2", "mistral", "mixtral", "modernbert-decoder",
    "nemotron_h", "olmo3", "olmo_hybrid", "phi3", "qwen2", "qwen3_5_text", "qwen3_moe", "qwen3_next",
    "smollm3", "stablelm", "starcoder2", "zamba", "zamba2",
)  # fmt: skip


@pytest.fixture(scope="module")
def folder():
    """What was measured once with this transformers and this program, for it takes minutes."""
    python = use_engine("transformers") / "python"
    if not python.exists():
        python = python.parent / "bin" / "python"
    measured_of = f"{Transformers().installed()} {ARCHITECTURES}".encode() + SCRIPT.read_bytes()
    found = cache() / "architectures" / sha256(measured_of).hexdigest()[:12]
    found.parent.mkdir(parents=True, exist_ok=True)
    with locked(found):
        if not found.exists():
            partial = found.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            subprocess.run([python, SCRIPT, partial, *ARCHITECTURES], check=True, timeout=LIMIT_SECONDS)
            partial.rename(found)
    return found


def _sizes_of_state(tensors):
    """Return how large a state can be: what is convolved in 16 bits, the rest in 16 or in 32.

    transformers keeps as many columns of a convolution as it is wide, vLLM one less.
    """
    convolved = sum(
        prod(shape) // shape[-1] * (shape[-1] - 1) for name, shape in tensors.items() if "conv" in name
    )
    others = sum(prod(shape) for name, shape in tensors.items() if "conv" not in name)
    return {2 * convolved + 2 * others, 2 * convolved + 4 * others}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_what_a_model_of_the_architecture_keeps(name, folder):
    """Each layer's keys and values of a token, its window, its state, and the bytes of all weights."""
    shape = read_shape(folder / name)
    measured = json.loads((folder / name / "measured.json").read_text(encoding="utf-8"))
    assert not shape.unknown
    counted = Counter(
        (each.key_elements + each.value_elements, bool(each.window))
        for layer in shape.stack
        for each in layer
        if each.kind is not LayerKind.STATE
    )
    assert counted == Counter(
        (each["token"], each["windowed"]) for each in measured["layers"] if each["token"]
    )
    states = [each.state_bytes for layer in shape.stack for each in layer if each.kind is LayerKind.STATE]
    kept = [each["state"] for each in measured["layers"] if each["state"]]
    assert len(states) == len(kept)
    assert all(set(states) <= _sizes_of_state(tensors) for tensors in kept)
    assert 0 <= shape.weight_bytes - measured["parameters"] <= measured["buffers"]
