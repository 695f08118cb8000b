"""With what `transformers serve` suits a machine to begin with: one with any GPU."""

from llmopt_core.engines.first_settings import (
    GPU_MODEL,
    PLENTY_MIB,
    SOME_MIB,
    Argument,
    FirstSettings,
    Machine,
)


def suited(machine: Machine) -> FirstSettings | None:
    """Return the settings for `machine`; None: it has no GPU."""
    if not machine.gpus_mib:
        return None
    smallest = min(machine.gpus_mib)
    if smallest >= PLENTY_MIB:
        full = (
            Argument("dtype", "bfloat16", "16 bits: there is memory enough to leave weights as they are"),
            Argument("continuous_batching", '"true"', "requests are answered together"),
        )
        return FirstSettings("transformers", GPU_MODEL, full, 16)
    bits = "bnb-8bit" if smallest >= SOME_MIB else "bnb-4bit"
    careful = (
        Argument("quantization", bits, "weights are quantised while they are loaded, to spare memory"),
        Argument("continuous_batching", '"false"', "one request after another: no paged cache to hold"),
    )
    return FirstSettings("transformers", GPU_MODEL, careful, 1)
