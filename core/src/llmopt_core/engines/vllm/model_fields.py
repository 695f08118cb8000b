"""What vLLM's server makes of the fields that all engines share."""

from llmopt_core.engines.model_fields import SEEN_GPUS, Meanings, named, not_quantised

VLLM_FIELDS: Meanings = {
    "device": SEEN_GPUS,
    "dtype": named("dtype"),
    "quantization": not_quantised(
        "vLLM serves weights as they were quantised: name such a model as source, or take engine transformers"
    ),
    "max_batch_size": named("max_num_seqs"),
    "tensor_parallel_size": named("tensor_parallel_size"),
    "pipeline_parallel_size": named("pipeline_parallel_size"),
}
