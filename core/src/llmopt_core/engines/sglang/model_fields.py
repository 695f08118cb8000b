"""What SGLang's server makes of the fields that all engines share."""

from llmopt_core.engines.model_fields import SEEN_GPUS, Meanings, named, not_quantised

SGLANG_FIELDS: Meanings = {
    "device": SEEN_GPUS,
    "dtype": named("dtype"),
    "quantization": not_quantised(
        "SGLang serves weights as they were quantised: name such a model as source, or take engine"
        " transformers"
    ),
    "max_batch_size": named("max_running_requests"),
    "tensor_parallel_size": named("tensor_parallel_size"),
    "pipeline_parallel_size": named("pipeline_parallel_size"),
}
