"""One small Llama: as its config.json has it, and as predictions of memory see it."""

from dataclasses import replace

from llmopt_runner.memory.layers import CachedLayers, LayerKind
from llmopt_runner.memory.shapes import ModelShape
from llmopt_runner.memory.weights import StoredWeights
from llmopt_runner.models.tensor_types import TensorType

MIB = 2**20
CONFIG = {
    "hidden_size": 256,
    "intermediate_size": 512,
    "num_hidden_layers": 4,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "max_position_embeddings": 2048,
    "bos_token_id": 0,
    "eos_token_id": 1,
}
# Round sizes in place of its own: 100 Mi parameters of 16 bits, a fifth of them embeddings.
SHAPE = ModelShape(
    weights=StoredWeights(stored_bytes=200 * MIB, embeddings=20 * MIB, linear=80 * MIB),
    cache=(CachedLayers(LayerKind.FULL, 4, heads=4, key_elements=4 * 32, value_elements=4 * 32),),
    max_context=2048,
    dtype=TensorType.BFLOAT16,
    layers=4,
    hidden_size=256,
    vocab_size=258,
)
# Keys and values of 4 layers with 4 heads of 32.
CACHED_NUMBERS_A_TOKEN = 2 * 4 * 4 * 32


def quantised(size_mib: int) -> ModelShape:
    """Return the same model, quantised in its files of `size_mib`."""
    size = size_mib * MIB
    return replace(SHAPE, weights=StoredWeights(stored_bytes=size, kept_bytes=size))
