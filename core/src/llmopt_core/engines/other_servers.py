"""What servers that are no engines of ours write when they fail: `llmopt explain` reads their logs as well.

Their words name their own settings. What the libraries below them say is in `errors.patterns.machine`.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from llmopt_core.engines.engine_logs import EngineLogs
from llmopt_core.errors.classes import ErrorClass
from llmopt_core.errors.patterns.base import consequence, pattern
from llmopt_core.errors.patterns.machine import OUT_OF_GPU_MEMORY

TGI = EngineLogs(
    patterns=(
        pattern(
            "prefill-out-of-memory",
            ErrorClass.GPU_OUT_OF_MEMORY,
            r"Not enough memory to handle (?:\d+ total tokens with )?(?P<prefill>\d+) prefill tokens",
            "The largest batch of prompts does not fit beside the weights: lower --max-batch-prefill-tokens"
            " (it is {prefill}) and --max-total-tokens, quantise the weights (--quantize), or use more GPUs"
            " (--num-shard).",
        ),
        pattern(
            "shard-killed-for-memory",
            ErrorClass.HOST_OUT_OF_MEMORY,
            r"process was signaled to shutdown with signal 9\b",
            "The kernel killed a process of the server, most likely for memory: give the container more, or"
            " fewer shards.",
        ),
        pattern(
            "shared-memory-too-small",
            ErrorClass.HOST_OUT_OF_MEMORY,
            r"process was signaled to shutdown with signal 7\b",
            "Shared memory ran out: give the container a larger /dev/shm (--shm-size 1g or more).",
        ),
        pattern(
            "program-for-another-processor",
            ErrorClass.ENGINE_NOT_INSTALLED,
            r"process was signaled to shutdown with signal 4\b",
            "The image was built for another processor, one with AVX2 for instance: take another machine or"
            " image.",
        ),
        pattern(
            "too-few-devices",
            ErrorClass.INVALID_CONFIGURATION,
            r"NotEnoughCUDADevices\(",
            "There are fewer GPUs than shards: lower --num-shard, or give the container more (--gpus all).",
        ),
        pattern(
            "arguments-do-not-go-together",
            ErrorClass.INVALID_CONFIGURATION,
            r"ArgumentValidation\(",
            "The launcher refuses these arguments: change what it names.",
        ),
        pattern(
            "prompt-over-context",
            ErrorClass.KV_CACHE_TOO_SMALL,
            r"`inputs` tokens \+ `max_new_tokens` must be <= (?P<length>\d+)"
            r"|`inputs` must have less than (?P<input>\d+) tokens",
            "A request is longer than the server takes: raise --max-total-tokens and --max-input-tokens,"
            " shorten the prompt, or lower workload.maxTokens.",
        ),
        pattern(
            "gpu-out-of-memory",
            ErrorClass.GPU_OUT_OF_MEMORY,
            OUT_OF_GPU_MEMORY,
            "Less fits on the GPU than is asked for: quantise the weights (--quantize), lower"
            " --max-batch-prefill-tokens or --cuda-memory-fraction, or use more GPUs (--num-shard).",
        ),
    ),
    mark=re.compile(r"\btext[_-]generation[_-](?:launcher|router|server|client)\b"),
)
TENSORRT_LLM = EngineLogs(
    patterns=(
        pattern(
            "gpu-out-of-memory",
            ErrorClass.GPU_OUT_OF_MEMORY,
            rf"{OUT_OF_GPU_MEMORY}|CUDA runtime error in .*out of memory"
            r"|Executor creation failed due to insufficient GPU memory",
            "Less fits on the GPU than is asked for: lower --max_batch_size, --max_num_tokens, --max_seq_len"
            " or --kv_cache_free_gpu_memory_fraction, or raise --tp_size.",
        ),
        pattern(
            "kv-cache-under-one-request",
            ErrorClass.KV_CACHE_TOO_SMALL,
            r"maxTokensInPagedKvCache .*must be large enough",
            "Not one request of full length fits into the KV cache: raise"
            " --kv_cache_free_gpu_memory_fraction, or lower --max_seq_len.",
        ),
        pattern(
            "engine-for-another-version",
            ErrorClass.ENGINE_NOT_INSTALLED,
            r"engine plan file is (?:generated on an incompatible device|not compatible with this version)",
            "The compiled engine was made for another GPU or another version of TensorRT: build it again"
            " here.",
        ),
    ),
    mark=re.compile(r"\[(?:TensorRT-LLM|TRT-LLM)\]|\btrtllm-serve\b"),
)
OLLAMA = EngineLogs(
    patterns=(
        pattern(
            "model-over-memory",
            ErrorClass.HOST_OUT_OF_MEMORY,
            r"model requires more system memory(?: \((?P<need>[\d.]+ \w+)\) than is available"
            r" \((?P<has>[\d.]+ \w+)\))?",
            "The model and its context do not fit into memory: lower OLLAMA_CONTEXT_LENGTH and"
            " OLLAMA_NUM_PARALLEL, take a smaller quantisation, or give the server more memory.",
        ),
        pattern(
            "gpu-out-of-memory",
            ErrorClass.GPU_OUT_OF_MEMORY,
            r"(?:cuda|hip|musa)Malloc failed: out of memory|CUDA error: out of memory"
            r"|unable to allocate (?:CUDA|ROCm|Vulkan|Metal)\d* buffer|model requires more gpu memory",
            "Less fits on the GPU than is asked for: lower OLLAMA_CONTEXT_LENGTH, OLLAMA_NUM_PARALLEL or the"
            " model's num_gpu, unload other models (ollama stop), or take a smaller quantisation.",
        ),
        pattern(
            "runner-killed",
            ErrorClass.HOST_OUT_OF_MEMORY,
            r"llama runner process has terminated: signal: killed"
            r"|llama runner exited, you may not have enough(?: available)? memory",
            "The kernel killed the process that computes, most likely for memory: give it more, or lower"
            " OLLAMA_CONTEXT_LENGTH.",
        ),
        pattern(
            "loading-took-too-long",
            ErrorClass.ENGINE_START_TIMEOUT,
            r"timed out waiting for llama runner to start",
            "The model was not loaded in time: raise OLLAMA_LOAD_TIMEOUT (5m by default).",
        ),
        pattern(
            "model-not-found",
            ErrorClass.MODEL_NOT_FOUND,
            r"not found, try pulling it first|pull model manifest: file does not exist"
            r"|^Error: model '[^'\n]{1,200}' not found",
            "The server has no such model: ollama pull NAME, with its tag.",
        ),
        pattern(
            "model-for-newer-version",
            ErrorClass.ENGINE_NOT_INSTALLED,
            r"requires a newer version of Ollama|pull model manifest: 412",
            "This version of Ollama cannot run the model: install a newer one.",
        ),
        pattern(
            "files-damaged",
            ErrorClass.MODEL_CORRUPT,
            r"digest mismatch, file must be downloaded again",
            "What was fetched is damaged: ollama rm NAME, and fetch it again.",
        ),
        consequence(
            "runner-ended",
            ErrorClass.ENGINE_CRASHED,
            r"llama runner process has terminated|llama runner process no longer running",
            "The process that computes ended: the cause is in the server's log before this line"
            " (journalctl -u ollama).",
        ),
    ),
    mark=re.compile(r"\bsource=\w+\.go:\d+|\bllama runner\b|\bOLLAMA_[A-Z]+"),
)
LM_STUDIO = EngineLogs(
    patterns=(
        pattern(
            "model-over-memory",
            ErrorClass.HOST_OUT_OF_MEMORY,
            r"insufficient system resources|[Nn]ot enough resources to (?:load|run) (?:the )?model",
            "LM Studio estimates that the model does not fit: load it with a shorter context or a smaller"
            " quantisation, unload other models (lms unload --all), or relax its model loading guardrails.",
        ),
        pattern(
            "prompt-over-context",
            ErrorClass.KV_CACHE_TOO_SMALL,
            r"is loaded with context length of only (?P<length>\d+) tokens"
            r"|tokens to keep from the initial prompt is greater than the context length"
            r"|Cannot truncate prompt with n_keep",
            "A request is longer than the context that the model was loaded with: load it with a longer one"
            " (lms load NAME --context-length N), or shorten the prompt.",
        ),
    ),
    mark=re.compile(r"\bLMSInternal\b|\bLM STUDIO SERVER\b|\bLM Studio\b|\bmodel loading guardrails\b"),
)
OTHER_SERVERS: Mapping[str, EngineLogs] = MappingProxyType(
    {"tgi": TGI, "tensorrtllm": TENSORRT_LLM, "ollama": OLLAMA, "lmstudio": LM_STUDIO}
)
