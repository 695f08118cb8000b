"""What of `transformers serve` is worth searching."""

from llmopt_core.engines.presets import CREATIVE, Only, PresetTable, one_of, steps

_BATCHED = (Only("engine.continuous_batching", ("true",)),)
_ONE_BY_ONE = (Only("engine.continuous_batching", ("false",)),)
_4BIT = (Only("engine.quantization", ("bnb-4bit",)),)

TRANSFORMERS_PRESET = PresetTable(
    server=(
        one_of("continuous_batching", "true", "false"),
        one_of("cb_block_size", 64, 128, 256, when=_BATCHED),
        one_of("cb_max_batch_tokens", 2048, 8192, when=_BATCHED),
        # Quantised weights are slow to batch, and are there to spare the memory that a paged cache takes.
        one_of("quantization", "none", "bnb-8bit", "bnb-4bit", when=_ONE_BY_ONE),
        one_of("bnb_4bit_compute_dtype", "float32", "bfloat16", when=_4BIT),
        one_of("attn_implementation", "sdpa", "eager"),
    ),
    # Batching ignores the penalty.
    creative=(*CREATIVE, steps("repetition_penalty", "1", "1.3", "0.05", _ONE_BY_ONE)),
)
