"""What SGLang is said to need of memory, before it is started."""

import json
from dataclasses import replace

import pytest
from fakes.model_configs import LLAMA
from fakes.small_llama import MIB, SHAPE

from llmopt_core.search.configurations import Configuration
from llmopt_runner.engines.sglang.engine import Sglang

# One layer of 2 heads of 16, and a matrix of 64 by 64.
HEAD = {**LLAMA, "model_type": "llama", "num_hidden_layers": 1, "head_dim": 16}
TENSOR = {"midlayer.mlp.up_proj.weight": {"dtype": "BF16", "shape": [64, 64], "data_offsets": [0, 8192]}}


def _draft(folder):
    (folder / "config.json").write_text(json.dumps(HEAD))
    text = json.dumps(TENSOR).encode()
    (folder / "model.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + bytes(8192))
    return {"speculative_draft_model_path": str(folder)}


def _need(shape=SHAPE, **engine):
    return Sglang().memory_need(shape, Configuration(engine={"context_length": 512, **engine}))


@pytest.mark.parametrize(
    ("engine", "weights_mib"),
    [
        ({}, 200),
        ({"quantization": "fp8"}, 20 * 2 + 80),
        ({"cpu_offload_gb": 1}, 20 * 2),  # embeddings stay
        ({"cpu_offload_gb": 1, "data_parallel_size": 2}, 2 * 20 * 2),
    ],
)
def test_weights_are_counted_as_the_gpus_hold_them(engine, weights_mib):
    """By type and quantisation, less the layers that lie in main memory."""
    assert _need(**engine).weights_mib == pytest.approx(weights_mib)


@pytest.mark.parametrize("algorithm", ["EAGLE", "EAGLE3", "NEXTN", "STANDALONE", "DFLASH"])
@pytest.mark.parametrize(("quantization", "size"), [(None, 8192), ("fp8", 4096)])
def test_a_model_that_guesses_needs_memory_too(tmp_path, algorithm, quantization, size):
    """Its weights, quantised as the other's, and the cache of the same tokens, in each replica."""
    asked = {"data_parallel_size": 2} | ({} if quantization is None else {"quantization": quantization})
    need, alone = _need(speculative_algorithm=algorithm, **asked, **_draft(tmp_path)), _need(**asked)
    assert need.weights_mib - alone.weights_mib == pytest.approx(2 * size / MIB)
    assert need.overhead_mib - alone.overhead_mib == pytest.approx(2 * 512 * 2 * 32 * 2 / MIB)


@pytest.mark.parametrize("algorithm", [None, "none", "NGRAM"])
def test_a_model_that_nothing_asks_for_is_not_loaded(tmp_path, algorithm):
    """Look-ups need no model."""
    named = {} if algorithm is None else {"speculative_algorithm": algorithm}
    assert _need(**named, **_draft(tmp_path)) == _need()


def test_own_layers_guess_where_no_model_is_named():
    """Multi-token prediction is stored with the model."""
    shape = replace(SHAPE, weights=replace(SHAPE.weights, drafting_bytes=30 * MIB), drafting_layers=1)
    need = _need(shape, speculative_algorithm="NEXTN")
    assert need.weights_mib == pytest.approx(230)
    assert need.overhead_mib == pytest.approx(_need(shape).overhead_mib * 5 / 4)


def test_a_model_that_is_not_here_is_left_out_and_said():
    """The rest of the prediction holds without it."""
    need = _need(speculative_algorithm="EAGLE3", speculative_draft_model_path="org/absent")
    assert need.total_mib == _need().total_mib
    assert "engine.speculative_draft_model_path org/absent is not counted" in need.left_out
