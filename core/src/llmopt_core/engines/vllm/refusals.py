"""What vLLM says of a configuration that it does not take, as of 0.32, and which values would do."""

from llmopt_core.errors.classes import ErrorClass
from llmopt_core.errors.limits import LimitRule
from llmopt_core.errors.patterns.base import pattern
from llmopt_core.errors.patterns.libraries import PARALLEL
from llmopt_core.errors.patterns.machine import FLASH_ATTENTION
from llmopt_core.errors.remedies import Change, Remedy

# What decides how much memory is left for the cache: with more of the first, less of the second, or another
# of the third, more may fit.
MORE_LIFTS = ("gpu_memory_utilization", "kv_cache_memory_mib", "tensor_parallel_size")
LESS_LIFTS = ("max_num_batched_tokens",)
OTHER_LIFTS = ("dtype", "quantization", "kv_cache_dtype", "enforce_eager", "block_size")
REFUSALS = (
    *PARALLEL,
    FLASH_ATTENTION,
    pattern(
        "package-of-a-choice-missing",
        ErrorClass.INVALID_CONFIGURATION,
        r"ImportError: (?:Please install (?:bitsandbytes|torchao)|The package `amd-quark`"
        r"|FlashInfer (?:is required for|is not installed|ReplaySSM)|HPC attention requires)"
        r"|Ray is not installed|DeepGEMM backend is not available",
        "What this configuration chooses needs a package that is not beside vLLM: install the one that the"
        " line names, or take the choice out of the search space.",
    ),
    pattern(
        "package-of-speculation-missing",
        ErrorClass.INVALID_CONFIGURATION,
        r"ImportError: Arctic Inference is required",
        "speculative_method ({speculative_method}) needs a package that is not beside vLLM: install"
        " arctic-inference, or take it out of the search space.",
        Remedy("speculative_method", Change.TAKE, value="none"),
    ),
    pattern(
        "drafts-not-whole-rounds",
        ErrorClass.INVALID_CONFIGURATION,
        r"num_speculative_tokens:(?P<tokens>\d+) must be divisible by n_predict=(?P<layers>\d+)",
        "The model guesses {layers} tokens at a time: set num_speculative_tokens ({tokens}) to at most"
        " {layers}, or to a multiple of it.",
        LimitRule(
            "num_speculative_tokens",
            multiples="layers",
            value="tokens",
            other_lifts=("speculative_method", "speculative_model"),
        ),
    ),
    pattern(
        "draft-of-another-vocabulary",
        ErrorClass.INVALID_CONFIGURATION,
        r"Target and draft model should have the same vocabulary size",
        "speculative_model ({speculative_model}) has another vocabulary than the model: take one of the same"
        " family, or take it out of the search space.",
        Remedy("speculative_method", Change.TAKE, value="none"),
    ),
    pattern(
        "speculation-not-of-this-model",
        ErrorClass.INVALID_CONFIGURATION,
        r"Unsupported speculative method: '(?P<method>[^']{1,80})'",
        "speculative_method {method} does not go with this model and what is set beside it: take it out of"
        " the search space.",
        Remedy("speculative_method", Change.TAKE, value="none"),
    ),
    pattern(
        "requests-over-mamba-blocks",
        ErrorClass.INVALID_CONFIGURATION,
        r"max_num_seqs \((?P<asked>\d+)\) exceeds available Mamba cache blocks \((?P<fits>\d+)\)",
        "Each request needs a Mamba cache block, and there are {fits}: set max_num_seqs (it is {asked}) to at"
        " most {fits}, or raise gpu_memory_utilization ({gpu_memory_utilization}).",
        LimitRule(
            "max_num_seqs",
            most="fits",
            value="asked",
            more_lifts=MORE_LIFTS,
            less_lifts=LESS_LIFTS,
            other_lifts=OTHER_LIFTS,
        ),
    ),
    pattern(
        "context-over-too-few-devices",
        ErrorClass.INVALID_CONFIGURATION,
        r"Decode context parallelism for GQA/MQA requires `--tensor-parallel-size` \((?P<size>\d+)\)",
        "decode_context_parallel_size ({decode_context_parallel_size}) shares heads that several devices"
        " hold, and with tensor_parallel_size {size} none is held twice: set it to 1, or raise"
        " tensor_parallel_size.",
        LimitRule("decode_context_parallel_size", most=1, more_lifts=("tensor_parallel_size",)),
    ),
    pattern(
        "context-over-too-many-devices",
        ErrorClass.INVALID_CONFIGURATION,
        r"`--decode-context-parallel-size` \((?P<size>\d+)\) exceeds the maximum supported value"
        r" \((?P<most>\d+)\)",
        "Only {most} devices hold the same heads: lower decode_context_parallel_size ({size}) to that, or"
        " raise tensor_parallel_size ({tensor_parallel_size}).",
        LimitRule(
            "decode_context_parallel_size", most="most", value="size", more_lifts=("tensor_parallel_size",)
        ),
    ),
    pattern(
        "context-does-not-divide-heads",
        ErrorClass.INVALID_CONFIGURATION,
        r"query heads per KV head \((?P<heads>\d+)\) must be divisible by `--decode-context-parallel-size`"
        r" \((?P<size>\d+)\)",
        "decode_context_parallel_size ({size}) must divide the {heads} query heads of each KV head.",
        LimitRule("decode_context_parallel_size", divides="heads", value="size"),
    ),
    pattern(
        "no-experts",
        ErrorClass.INVALID_CONFIGURATION,
        r"Number of experts in the model must be greater than 0 when expert parallelism is enabled",
        "The model has no experts: set enable_expert_parallel to false.",
        Remedy("enable_expert_parallel", Change.TAKE, value=False),
    ),
    pattern(
        "cache-type-not-of-latents",
        ErrorClass.INVALID_CONFIGURATION,
        r"nvfp4 KV cache is not supported with MLA",
        "The model's layers keep latents, for which there is no kv_cache_dtype {kv_cache_dtype}: take fp8 or"
        " auto.",
        Remedy("kv_cache_dtype", Change.TAKE, value="fp8"),
        Remedy("kv_cache_dtype", Change.TAKE, value="auto"),
    ),
    pattern(
        "graphs-not-of-this-backend",
        ErrorClass.INVALID_CONFIGURATION,
        r"CUDAGraphMode\.\w+ is not supported with .*try cudagraph_mode=PIECEWISE",
        "The attention kernels cannot be captured with cudagraph_mode ({cudagraph_mode}): take PIECEWISE.",
        Remedy("cudagraph_mode", Change.TAKE, value="PIECEWISE"),
    ),
    pattern(
        "no-float16",
        ErrorClass.INVALID_CONFIGURATION,
        r"The model type '[^']{1,80}' does not support float16",
        "The model does not work in float16: set engine.args.dtype to bfloat16.",
        Remedy("dtype", Change.TAKE, value="bfloat16"),
    ),
    pattern(
        "parts-not-aligned",
        ErrorClass.INVALID_CONFIGURATION,
        r"(?:input|output) size is not aligned with the quantized weight shape",
        "tensor_parallel_size ({tensor_parallel_size}) splits the quantised weights within their blocks:"
        " lower it.",
        Remedy("tensor_parallel_size", Change.HALVE),
    ),
    pattern(
        "pipeline-not-supported",
        ErrorClass.INVALID_CONFIGURATION,
        r"Pipeline parallelism is not supported for this model",
        "vLLM cannot split this model into stages: set pipeline_parallel_size to 1.",
        LimitRule("pipeline_parallel_size", most=1),
    ),
    pattern(
        "batch-under-image",
        ErrorClass.INVALID_CONFIGURATION,
        r"max_tokens_per_mm_item \((?P<need>\d+)\) is larger than max_num_batched_tokens"
        r" \((?P<batched>\d+)\)",
        "An image of this model is {need} tokens and must fit into one step: raise max_num_batched_tokens"
        " (it is {batched}) to {need}.",
        LimitRule("max_num_batched_tokens", least="need", value="batched"),
    ),
    pattern(
        "no-fp8",
        ErrorClass.INVALID_CONFIGURATION,
        r"type fp8e4nv not supported in this architecture|FP8 KV cache is not supported",
        "This GPU has no fp8 of this kind: take kv_cache_dtype ({kv_cache_dtype}) auto or fp8_e5m2, and no"
        " fp8 in quantization ({quantization}).",
        Remedy("kv_cache_dtype", Change.TAKE, value="fp8_e5m2"),
        Remedy("kv_cache_dtype", Change.TAKE, value="auto"),
    ),
    pattern(
        "batch-under-requests",
        ErrorClass.INVALID_CONFIGURATION,
        r"max_num_batched_tokens \((?P<batched>\d+)\) must be greater than or equal to max_num_seqs",
        "Raise max_num_batched_tokens ({batched}) or lower max_num_seqs ({max_num_seqs}).",
        LimitRule("max_num_seqs", most="batched", other_lifts=("max_num_batched_tokens",)),
    ),
    pattern(
        "batch-under-context",
        ErrorClass.INVALID_CONFIGURATION,
        r"max_num_batched_tokens \((?P<batched>\d+)\) is smaller than max_model_len \((?P<length>\d+)\)",
        "Without enable_chunked_prefill a prompt must fit into one step: raise max_num_batched_tokens"
        " ({batched}) to {length}, or lower max_model_len.",
        LimitRule(
            "max_num_batched_tokens",
            least="length",
            value="batched",
            other_lifts=("max_model_len", "enable_chunked_prefill"),
        ),
    ),
    pattern(
        "context-over-model",
        ErrorClass.INVALID_CONFIGURATION,
        r"max_model_len \((?P<length>\d+)\) is greater than the derived max_model_len \(\w+=(?P<longest>\d+)",
        "The model has no context of {length} tokens: lower max_model_len to {longest}.",
        LimitRule("max_model_len", most="longest", value="length"),
    ),
    pattern(
        "too-few-devices",
        ErrorClass.INVALID_CONFIGURATION,
        r"World size \((?P<size>\d+)\) is larger than the number of(?: \w+)*(?: \((?P<devices>\d+)\))?"
        r"|required GPUs exceeds the total number of available GPUs",
        "There are fewer devices than tensor_parallel_size ({tensor_parallel_size}): lower it.",
        LimitRule("tensor_parallel_size", most="devices", value="size"),
    ),
    pattern(
        "block-size-not-supported",
        ErrorClass.INVALID_CONFIGURATION,
        r"No common block size for (?P<size>\d+) \((?P<sizes>.*?)\)\.",
        "This device has no blocks of {size} tokens ({sizes}): set another block_size, or none.",
    ),
    pattern(
        "quantization-not-supported",
        ErrorClass.INVALID_CONFIGURATION,
        r"Cannot find the config file for|Unknown quantization method|does not match the quantization method"
        r"|quantization is currently not supported|not supported for quantization method"
        r"|not supported for the current GPU|platform does not support \w+ quantization"
        r"|ModelOpt currently only supports|_C::\w*(?:quant|fp8)\w*\(\) expected at most",
        "This model or this device does not allow quantization ({quantization}) with dtype ({dtype}): take"
        " it out of the search space.",
    ),
    pattern(
        "no-attention-backend",
        ErrorClass.INVALID_CONFIGURATION,
        r"No valid attention backend found for|Selected backend \S+ is not valid for this configuration"
        r"|kv-cache is not supported with FlashAttention|Head size \d+ is not supported by"
        r"|Sinks are only supported in|FlashMLA is not supported",
        "No attention kernel for this GPU takes dtype ({dtype}), kv_cache_dtype ({kv_cache_dtype}) and"
        " block_size ({block_size}) together: take one of them out of the search space.",
    ),
    pattern(
        "adapter-over-rank",
        ErrorClass.INVALID_CONFIGURATION,
        r"LoRA rank (?P<rank>\d+) is greater than max_lora_rank (?P<most>\d+)",
        "The adapter has rank {rank}: set max_lora_rank (it is {most}) to {rank} or more.",
    ),
    pattern(
        "speculation-not-supported",
        ErrorClass.INVALID_CONFIGURATION,
        r"Speculative decoding with .{1,100} is not supported|does not support speculative decoding",
        "vLLM cannot guess tokens in this way for this model: take another method in speculative_config, or"
        " none.",
    ),
    pattern(
        "no-bfloat16",
        ErrorClass.INVALID_CONFIGURATION,
        r"Bfloat16 is only supported on GPUs",
        "This GPU is too old for bfloat16: set engine.args.dtype to float16.",
        Remedy("dtype", Change.TAKE, value="float16"),
    ),
)
