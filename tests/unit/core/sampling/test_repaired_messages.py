"""What the messages of each engine lead to: the configuration that is tried once more."""

import pytest

from llmopt_core.engines.registry import BUILT_IN
from llmopt_core.errors.classification import Evidence, classify
from llmopt_core.sampling.repairs import Refused, repair
from llmopt_core.search.configurations import Configuration
from llmopt_core.search.spaces import (
    ChoiceDimension,
    FloatDimension,
    IntDimension,
    SearchSpace,
    SpaceParameter,
)

SEQS = "engine.max_num_seqs"
UTILIZATION = "engine.gpu_memory_utilization"
OTHER = SpaceParameter("sampling.temperature", FloatDimension(0.0, 1.0))
TOO_LONG = (
    "ValueError: To serve at least one request with the model's max seq len (132000), (8.06 GiB KV cache is"
    " needed, which is larger than the available KV cache memory (7.57 GiB). Based on the available memory,"
    " the estimated maximum model length is 123872."
)
NOT_FREE = (
    "ValueError: Free memory on device cuda:0 (62.9/79.1 GiB) on startup is less than desired GPU memory"
    " utilization (0.92, 72.77 GiB)."
)
OUT_OF_MEMORY = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.27 GiB."
CAPTURING = f'  File "v1/worker/gpu_model_runner.py", line 6560, in capture_model\n{OUT_OF_MEMORY}'
LOADING = f'  File "v1/worker/gpu_model_runner.py", line 5100, in load_model\n{OUT_OF_MEMORY}'
PAGED_FULL = "RuntimeError: No requests can be scheduled and no requests can be offloaded."
SHARES = FloatDimension(0.5, 0.95, step=0.05)


def repaired(engine, log, name, dimension, asked):
    """Return the value of `name` that is tried once more; None: the configuration is not repaired."""
    parameters = {name: asked, OTHER.name: 0.5}
    configuration = Configuration.from_flat(parameters)
    evidence = Evidence(log, 1, numbers=configuration.engine, patterns=BUILT_IN[engine].logs.patterns)
    space = SearchSpace((SpaceParameter(name, dimension), OTHER))
    found = repair(Refused(parameters, configuration, classify(evidence)), space, lambda _: True)
    assert found is None or found == parameters | {name: found[name]}
    return None if found is None else found[name]


@pytest.mark.parametrize(
    ("log", "name", "dimension", "asked", "value"),
    [
        (
            "ValueError: max_num_seqs (1024) exceeds available Mamba cache blocks (856). Each decode",
            SEQS,
            IntDimension(16, 2048),
            1024,
            856,
        ),
        (
            TOO_LONG,
            "engine.max_model_len",
            IntDimension(1024, 262_144),
            132_000,
            123_872,
        ),
        (
            TOO_LONG,
            UTILIZATION,
            FloatDimension(0.5, 0.95),
            0.8,
            0.95,
        ),
        (
            "ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization`",
            UTILIZATION,
            FloatDimension(0.5, 0.95),
            0.8,
            0.95,
        ),
        (
            "RuntimeError: CUDA out of memory occurred when warming up sampler with 1024 dummy requests.",
            SEQS,
            IntDimension(16, 2048),
            1024,
            512,
        ),
        (
            "The input_size of down's weight = 192 is not divisible by weight quantization block_k = 128.",
            "engine.tensor_parallel_size",
            ChoiceDimension((1, 2, 4, 8)),
            8,
            4,
        ),
        (
            "Total number of attention heads (12) must be divisible by tensor parallel size (8).",
            "engine.tensor_parallel_size",
            ChoiceDimension((1, 2, 4, 8)),
            8,
            4,
        ),
        (
            "Value error, max_num_batched_tokens (2048) is smaller than max_model_len (8192). This",
            "engine.max_num_batched_tokens",
            IntDimension(1024, 16_384, step=1024),
            2048,
            8192,
        ),
        (
            "Value error, max_num_batched_tokens (32) must be greater than or equal to max_num_seqs (64).",
            SEQS,
            IntDimension(8, 64),
            64,
            32,
        ),
        (
            NOT_FREE,
            UTILIZATION,
            FloatDimension(0.5, 0.95, step=0.05),
            0.9,
            0.75,
        ),
        (CAPTURING, UTILIZATION, SHARES, 0.95, 0.85),
        (CAPTURING, SEQS, IntDimension(16, 2048), 1024, 512),
        (CAPTURING, "engine.enforce_eager", ChoiceDimension((False, True)), False, True),
        (CAPTURING, "engine.tensor_parallel_size", ChoiceDimension((1, 2)), 1, None),
        (LOADING, "engine.tensor_parallel_size", ChoiceDimension((1, 2)), 1, 2),
        (LOADING, SEQS, IntDimension(16, 2048), 1024, None),
        (OUT_OF_MEMORY, "engine.max_num_batched_tokens", IntDimension(1024, 16_384, step=1024), 8192, 4096),
        (
            "RuntimeError: DefaultCPUAllocator: not enough memory",
            "engine.kv_cache_memory_mib",
            IntDimension(128, 4096),
            4096,
            2048,
        ),
        (
            "ValueError: The input size is not aligned with the quantized weight shape.",
            "engine.tensor_parallel_size",
            ChoiceDimension((1, 2, 4, 8)),
            8,
            4,
        ),
        (
            "NotImplementedError: Pipeline parallelism is not supported for this model.",
            "engine.pipeline_parallel_size",
            ChoiceDimension((1, 2, 4)),
            4,
            1,
        ),
        (
            "ValueError: type fp8e4nv not supported in this architecture.",
            "engine.kv_cache_dtype",
            ChoiceDimension(("auto", "fp8")),
            "fp8",
            "auto",
        ),
        (
            "ValueError: Bfloat16 is only supported on GPUs with compute capability of at least 8.0.",
            "engine.dtype",
            ChoiceDimension(("bfloat16", "float16")),
            "bfloat16",
            "float16",
        ),
    ],
)
def test_messages_of_vllm_lead_to_what_they_ask_for(log, name, dimension, asked, value):
    """The configuration of a real message is repaired to the value that it names, or that it advises."""
    assert repaired("vllm", log, name, dimension, asked) == value


def test_an_engine_that_fills_up_while_it_serves_did_not_fail_to_capture():
    """Graphs that were all captured before are not the cause, and their parameters are left alone."""
    log = f"Capturing CUDA graphs (decode, FULL): 100%|##| 35/35 [00:02<00:00]\n{OUT_OF_MEMORY}"
    assert repaired("vllm", log, UTILIZATION, SHARES, 0.95) is None


@pytest.mark.parametrize(
    ("engine", "log", "name", "dimension", "asked", "value"),
    [
        (
            "llamacpp",
            "ggml_backend_cuda_buffer_type_alloc_buffer: cudaMalloc failed: out of memory",
            "engine.n_ctx",
            IntDimension(2048, 131_072, step=2048),
            131_072,
            65_536,
        ),
        (
            "llamacpp",
            "ggml_vulkan: Device memory allocation of size 1342177280 failed.",
            "engine.n_gpu_layers",
            IntDimension(0, 64),
            64,
            32,
        ),
        (
            "llamacpp",
            "llama_init_from_model: failed to initialize the context: failed to allocate buffer for kv cache",
            "engine.n_ctx",
            IntDimension(2048, 131_072),
            8192,
            4096,
        ),
        (
            "llamacpp",
            "srv send_error: request (621 tokens) exceeds the available context size (512 tokens)",
            "engine.n_parallel",
            ChoiceDimension((1, 2, 4, 8)),
            8,
            4,
        ),
        (
            "llamacpp",
            "srv send_error: request (621 tokens) exceeds the available context size (512 tokens)",
            "engine.n_ctx",
            IntDimension(512, 8192),
            512,
            1024,
        ),
        (
            "llamacpp",
            "error: input is too large to process. increase the physical batch size",
            "engine.n_ubatch",
            ChoiceDimension((128, 512, 2048)),
            128,
            2048,
        ),
        (
            "llamacpp",
            "W llama_init_from_model: context type MTP requested but model doesn't contain MTP layers",
            "engine.spec_type",
            ChoiceDimension(("draft-mtp", "ngram-mod", "none")),
            "draft-mtp",
            "none",
        ),
        (
            "llamacpp",
            "E llama_prepare_model_devices: LLAMA_SPLIT_MODE_TENSOR needs >= 1 devices",
            "engine.split_mode",
            ChoiceDimension(("layer", "tensor")),
            "tensor",
            "layer",
        ),
        ("transformers", PAGED_FULL, "engine.cb_num_blocks", IntDimension(16, 512), 64, 128),
        (
            "transformers",
            "RuntimeError: Memory footprint 13801161359360 is more than available memory 8460595200",
            "engine.cb_num_blocks",
            IntDimension(16, 4096),
            4096,
            2048,
        ),
        (
            "transformers",
            "ValueError: Implementation flex_attention is not supported for continuous batching.",
            "engine.attn_implementation",
            ChoiceDimension(("flex_attention", "sdpa")),
            "flex_attention",
            "sdpa",
        ),
        (
            "transformers",
            "ImportError: FlashAttention2 has been toggled on, but it cannot be used",
            "engine.attn_implementation",
            ChoiceDimension(("flash_attention_2", "sdpa")),
            "flash_attention_2",
            "sdpa",
        ),
        (
            "sglang",
            "RuntimeError: Not enough memory. Please try to increase --mem-fraction-static.",
            "engine.mem_fraction_static",
            SHARES,
            0.7,
            0.95,
        ),
        (
            "sglang",
            "Exception: Capture cuda graph failed: CUDA out of memory. Tried to allocate 2.00 GiB.",
            "engine.mem_fraction_static",
            SHARES,
            0.95,
            0.85,
        ),
        (
            "sglang",
            "ValueError: tp_size 8 must be divisible by ep_size 3",
            "engine.expert_parallel_size",
            ChoiceDimension((1, 2, 3)),
            3,
            2,
        ),
        (
            "sglang",
            "ValueError: Pipeline parallelism is not compatible with overlap schedule",
            "engine.disable_overlap_schedule",
            ChoiceDimension((False, True)),
            False,
            True,
        ),
    ],
)
def test_messages_of_other_engines_lead_to_what_helps(engine, log, name, dimension, asked, value):
    """Each engine brings its remedies: what its suggestion tells a person, a study does once."""
    assert repaired(engine, log, name, dimension, asked) == value
