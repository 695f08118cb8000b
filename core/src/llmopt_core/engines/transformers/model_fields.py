"""What `transformers serve` makes of the fields that all engines share."""

from llmopt_core.engines.model_fields import UNDIVIDED, Arguments, Meanings, named

_BITS = {0: "none", 4: "bnb-4bit", 8: "bnb-8bit"}


def _batch(value: int | str) -> Arguments:
    """Batches have no largest size of their own: they hold what the load sends."""
    return {"continuous_batching": "false" if value == 1 else "true"}


TRANSFORMERS_FIELDS: Meanings = {
    "device": named("device"),
    "dtype": named("dtype"),
    "quantization": lambda bits: {"quantization": _BITS[int(bits)]},
    "max_batch_size": _batch,
    "tensor_parallel_size": UNDIVIDED,
    "pipeline_parallel_size": UNDIVIDED,
}
