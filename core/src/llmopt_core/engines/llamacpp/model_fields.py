"""What llama.cpp's server makes of the fields that all engines share."""

from llmopt_core.engines.model_fields import (
    SEEN_GPUS,
    UNDIVIDED,
    Arguments,
    Meanings,
    Unusable,
    named,
    not_quantised,
    only,
)


def _device(value: int | str) -> Arguments | Unusable:
    return {"n_gpu_layers": 0} if value == "cpu" else SEEN_GPUS(value)


LLAMACPP_FIELDS: Meanings = {
    "device": _device,
    "dtype": only(
        frozenset({"auto"}), "auto", "a GGUF file has its own type: name a file of another one as source"
    ),
    "quantization": not_quantised("name a quantised file as source, such as one of Q4_K_M"),
    "max_batch_size": named("n_parallel"),
    "tensor_parallel_size": UNDIVIDED,
    "pipeline_parallel_size": UNDIVIDED,
}
