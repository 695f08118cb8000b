"""One small Llama: as its config.json has it, and as predictions of memory see it."""

from llmopt_runner.memory.shapes import ModelShape
from llmopt_runner.memory.tensor_types import TensorType

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
    weight_bytes=200 * MIB,
    parameters=100 * MIB,
    embedding_parameters=20 * MIB,
    layers=4,
    kv_heads=4,
    head_dim=32,
    hidden_size=256,
    vocab_size=258,
    max_context=2048,
    dtype=TensorType.BFLOAT16,
)
# Keys and values of 4 layers with 4 heads of 32.
CACHED_NUMBERS_A_TOKEN = 2 * 4 * 4 * 32
