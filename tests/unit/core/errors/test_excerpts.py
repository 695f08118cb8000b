"""What engines really wrote when they failed, and what is made of it."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from llmopt_core.engines.registry import BUILT_IN, all_patterns
from llmopt_core.errors.classes import ErrorClass
from llmopt_core.errors.classification import Evidence, cause_of, classify
from llmopt_core.errors.patterns import machine
from llmopt_core.errors.patterns.base import Pattern

_EXCERPTS = Path(__file__).with_name("excerpts")


@dataclass(frozen=True)
class Case:
    """A log below excerpts/, how the engine ended, and what a person must read.

    `seen` is False where no machine of ours could fail so: its lines are made from the format strings in the
    engine's and the library's own source.
    """

    file: str
    error_class: ErrorClass
    advice: str
    exit_code: int | None = 1
    signal: int | None = None
    numbers: dict[str, Any] = field(default_factory=dict)
    seen: bool = True


_CONFIGURATION, _CORRUPT = ErrorClass.INVALID_CONFIGURATION, ErrorClass.MODEL_CORRUPT
_VLLM = (
    Case("vllm/unknown-flag.log", _CONFIGURATION, "does not know an argument", exit_code=2),
    Case(
        "vllm/draft-not-found.log",
        _CONFIGURATION,
        "speculative_model (/models/draft), is not there",
        numbers={"speculative_model": "/models/draft"},
    ),
    Case("vllm/speculation-not-of-this-model.log", _CONFIGURATION, "speculative_method mtp does not go"),
    Case("vllm/path-missing.log", ErrorClass.MODEL_NOT_FOUND, "there is no such folder"),
    Case("vllm/no-config.log", ErrorClass.MODEL_NOT_FOUND, "it holds no config.json"),
    Case("vllm/no-weights.log", ErrorClass.MODEL_NOT_FOUND, "no such model, revision or weights"),
    Case("vllm/not-cached.log", ErrorClass.MODEL_NOT_FOUND, "unset HF_HUB_OFFLINE"),
    Case("vllm/weights-truncated.log", _CORRUPT, "fetch them again"),
    Case("vllm/weights-garbage.log", _CORRUPT, "fetch them again"),
    Case("vllm/weights-not-safetensors.log", _CORRUPT, "fetch them again"),
    Case("vllm/weights-empty.log", _CORRUPT, "fetch them again"),
    Case("vllm/weights-header-cut.log", _CORRUPT, "fetch them again"),
    Case("vllm/config-damaged.log", _CORRUPT, "fetch them again"),
    Case("vllm/tokenizer-damaged.log", _CORRUPT, "fetch them again"),
    Case(
        "vllm/seqs-over-batched.log",
        _CONFIGURATION,
        "Raise max_num_batched_tokens (32) or lower max_num_seqs (64)",
        numbers={"max_num_seqs": 64},
    ),
    Case("vllm/batched-under-length.log", _CONFIGURATION, "raise max_num_batched_tokens (1024) to 2048"),
    Case("vllm/length-over-model.log", _CONFIGURATION, "100000 tokens: lower max_model_len to 8192"),
    Case("vllm/tensor-parallel.log", _CONFIGURATION, "(2) must divide the model's 9 attention heads"),
    Case("vllm/block-size.log", _CONFIGURATION, "no blocks of 16 tokens (CPU_ATTN: [MultipleOf(32)])"),
    Case(
        "vllm/quantization-of-another-model.log",
        _CONFIGURATION,
        "does not allow quantization (gptq)",
        numbers={"quantization": "gptq", "dtype": "auto"},
    ),
    Case(
        "vllm/quantization-not-on-this-device.log",
        _CONFIGURATION,
        "quantization (fp8) with dtype (float16)",
        numbers={"quantization": "fp8", "dtype": "float16"},
    ),
    Case("vllm/port-busy.log", ErrorClass.PORT_BUSY, "the next start picks another one"),
    Case(
        "vllm/kv-cache-too-small.log",
        ErrorClass.KV_CACHE_TOO_SMALL,
        "set engine.args.max_model_len to 1280 or less, or give the cache more by kv_cache_memory_mib (32)",
        numbers={"kv_cache_memory_mib": 32},
    ),
    Case(
        "vllm/kv-cache-over-memory.log",
        ErrorClass.HOST_OUT_OF_MEMORY,
        "lower kv_cache_memory_mib (102400)",
        numbers={"kv_cache_memory_mib": 102400},
    ),
    Case(
        "vllm/utilization-over-memory.log",
        ErrorClass.HOST_OUT_OF_MEMORY,
        "gpu_memory_utilization (1.0) of the whole memory by default",
        numbers={"gpu_memory_utilization": 1.0},
    ),
    Case("vllm/prompt-too-long.log", ErrorClass.KV_CACHE_TOO_SMALL, "max_model_len (2048): raise it"),
    # The server notices, and ends gracefully.
    Case("vllm/worker-killed.log", ErrorClass.ENGINE_CRASHED, "tried once more", exit_code=0),
    # What the kernel kills for memory says nothing: the memory guard reports it.
    Case("vllm/oom-worker.log", ErrorClass.ENGINE_CRASHED, "tried once more"),
    Case("vllm/oom-server.log", ErrorClass.ENGINE_CRASHED, "tried once more", exit_code=None, signal=9),
    # Whether others held it, the memory guard knows.
    Case(
        "vllm/gpu-less-than-utilization.log",
        ErrorClass.GPU_OUT_OF_MEMORY,
        "lower gpu_memory_utilization (0.92)",
        numbers={"gpu_memory_utilization": 0.92},
        seen=False,
    ),
    Case("vllm/gpu-memory-changed.log", ErrorClass.MEMORY_BUSY, "one after another", seen=False),
    Case(
        "vllm/gpu-no-attention.log",
        _CONFIGURATION,
        "kv_cache_dtype (fp8)",
        numbers={"kv_cache_dtype": "fp8"},
        seen=False,
    ),
    Case("vllm/gpu-no-nvcc.log", ErrorClass.ENGINE_NOT_INSTALLED, "flashinfer-jit-cache", seen=False),
    Case(
        "vllm/gpu-nccl-shared-memory.log",
        ErrorClass.HOST_OUT_OF_MEMORY,
        "give the container a larger one",
        seen=False,
    ),
    Case(
        "vllm/gpu-no-kernel-image.log", ErrorClass.ENGINE_NOT_INSTALLED, "not made for this GPU", seen=False
    ),
    Case(
        "vllm/gpu-out-of-memory-weights.log",
        ErrorClass.GPU_OUT_OF_MEMORY,
        "raise tensor_parallel_size (1)",
        numbers={"tensor_parallel_size": 1},
        seen=False,
    ),
    Case(
        "vllm/gpu-out-of-memory-profiling.log",
        ErrorClass.GPU_OUT_OF_MEMORY,
        "lower max_num_seqs (256)",
        numbers={"max_num_seqs": 256},
        seen=False,
    ),
    Case("vllm/gpu-out-of-memory-graphs.log", ErrorClass.GPU_OUT_OF_MEMORY, "set enforce_eager", seen=False),
    Case(
        "vllm/gpu-no-room-for-cache.log",
        ErrorClass.KV_CACHE_TOO_SMALL,
        "left beside the weights: lower max_model_len (8192)",
        numbers={"max_model_len": 8192},
        seen=False,
    ),
    Case("vllm/gpu-illegal-access.log", ErrorClass.CUDA_FAULT, "Xid errors", seen=False),
    Case("vllm/gpu-nccl.log", ErrorClass.CUDA_FAULT, "Xid errors", seen=False),
    Case("vllm/gpu-no-driver.log", ErrorClass.ENGINE_NOT_INSTALLED, "check the driver", seen=False),
    Case("vllm/gpu-not-found.log", ErrorClass.ENGINE_NOT_INSTALLED, "build for CPUs", seen=False),
    Case(
        "vllm/gpu-too-few.log",
        _CONFIGURATION,
        "fewer devices than tensor_parallel_size (8)",
        numbers={"tensor_parallel_size": 8},
        seen=False,
    ),
    Case("vllm/gpu-too-old-for-bfloat16.log", _CONFIGURATION, "dtype to float16", seen=False),
    Case(
        "vllm/gpu-quantization-too-new.log",
        _CONFIGURATION,
        "does not allow quantization (fp8)",
        numbers={"quantization": "fp8"},
        seen=False,
    ),
)
_NOT_FOUND, _HOST_MEMORY = ErrorClass.MODEL_NOT_FOUND, ErrorClass.HOST_OUT_OF_MEMORY
_TRANSFORMERS = (
    Case("transformers/unknown-flag.log", _CONFIGURATION, "does not know an argument", exit_code=2),
    Case("transformers/path-missing.log", _NOT_FOUND, "there is no such folder"),
    Case("transformers/not-cached.log", _NOT_FOUND, "unset HF_HUB_OFFLINE"),
    Case("transformers/revision-not-cached.log", _NOT_FOUND, "correct its name and revision"),
    Case("transformers/no-weights.log", _NOT_FOUND, "the folder has no safetensors weights"),
    Case("transformers/weights-truncated.log", _CORRUPT, "fetch them again"),
    Case("transformers/weights-header-cut.log", _CORRUPT, "fetch them again"),
    Case("transformers/weights-garbage.log", _CORRUPT, "fetch them again"),
    Case("transformers/weights-empty.log", _CORRUPT, "fetch them again"),
    Case("transformers/config-damaged.log", _CORRUPT, "fetch them again"),
    Case("transformers/config-inconsistent.log", _CORRUPT, "do not belong together"),
    Case("transformers/sizes-differ.log", _CORRUPT, "do not belong together"),
    Case("transformers/layers-missing.log", _CORRUPT, "do not belong together", exit_code=None),
    Case("transformers/tokenizer-damaged.log", _CORRUPT, "fetch them again"),
    Case(
        "transformers/architecture-unknown.log",
        ErrorClass.ENGINE_NOT_INSTALLED,
        "no models of the type nosuchmodel",
    ),
    Case("transformers/dtype-unknown.log", _CONFIGURATION, "transformers has no float17"),
    Case("transformers/attention-unknown.log", _CONFIGURATION, "transformers has no nonsense"),
    Case("transformers/quantization-unknown.log", _CONFIGURATION, "transformers has no awq"),
    Case("transformers/no-gpu.log", _CONFIGURATION, "no device cuda:0 here", numbers={"device": "cuda:0"}),
    Case("transformers/device-unknown.log", _CONFIGURATION, "set engine.args.device to auto or cpu"),
    Case(
        "transformers/no-bitsandbytes.log",
        _CONFIGURATION,
        "quantization (bnb-4bit) needs the package bitsandbytes",
        numbers={"quantization": "bnb-4bit"},
    ),
    Case("transformers/no-bnb-4bit-options.log", _CONFIGURATION, "install transformers 5.23 for them"),
    Case(
        "transformers/bnb-4bit-files-quantised.log",
        _CONFIGURATION,
        "take bnb_4bit_quant_type out of the search space",
    ),
    Case("transformers/no-flash-attention.log", _CONFIGURATION, "needs the package flash-attn"),
    Case("transformers/no-quanto.log", _CONFIGURATION, "needs the package optimum-quanto", exit_code=None),
    Case(
        "transformers/offloaded-without-gpu.log",
        _CONFIGURATION,
        "cache_implementation (offloaded) needs a GPU",
        exit_code=None,
        numbers={"cache_implementation": "offloaded"},
    ),
    Case("transformers/batching-flex-attention.log", _CONFIGURATION, "does not go with", exit_code=None),
    Case(
        "transformers/batching-block-too-small.log",
        _CONFIGURATION,
        "cb_block_size (3)",
        exit_code=None,
        numbers={"cb_block_size": 3},
    ),
    Case("transformers/port-busy.log", ErrorClass.PORT_BUSY, "the next start picks another one", exit_code=3),
    Case(
        "transformers/batching-too-few-blocks.log",
        ErrorClass.KV_CACHE_TOO_SMALL,
        "64 blocks of 32 tokens: raise cb_num_blocks",
        exit_code=None,
        numbers={"cb_num_blocks": 64, "cb_block_size": 32},
    ),
    Case(
        "transformers/batching-cache-over-memory.log",
        ErrorClass.KV_CACHE_TOO_SMALL,
        "lower cb_num_blocks (640000)",
        exit_code=None,
        numbers={"cb_num_blocks": 640000},
    ),
    Case(
        "transformers/batching-share-too-small.log",
        ErrorClass.KV_CACHE_TOO_SMALL,
        "raise cb_max_memory_percent (0.01)",
        exit_code=None,
        numbers={"cb_max_memory_percent": 0.01},
    ),
    Case(
        "transformers/oom-batching-cache.log",
        _HOST_MEMORY,
        "lower cb_num_blocks (200)",
        exit_code=None,
        numbers={"cb_num_blocks": 200},
    ),
    Case("transformers/oom-weights.log", _HOST_MEMORY, "or a quantization"),
    Case("transformers/oom-mapping.log", _HOST_MEMORY, "or a quantization"),
    Case("transformers/oom-libraries.log", _HOST_MEMORY, "or raise the limit"),
    Case(
        "transformers/oom-import.log",
        _HOST_MEMORY,
        "take dtype bfloat16 (it is float32)",
        numbers={"dtype": "float32"},
    ),
)
_LLAMACPP = (
    Case("llamacpp/draft-not-found.log", _CONFIGURATION, "guesses, /models/draft.gguf, could not be loaded"),
    *(
        Case(f"llamacpp/{name}.log", _CORRUPT, "tensors are not those that its architecture has")
        for name in ("tensors-missing", "tensor-not-found", "tensor-of-another-shape")
    ),
    Case("llamacpp/no-mtp-layers.log", _CONFIGURATION, "take spec_type draft-mtp out"),
    Case("llamacpp/split-needs-devices.log", _CONFIGURATION, "take split_mode layer"),
    Case(
        "llamacpp/buffer-unknown.log",
        _CONFIGURATION,
        "override_tensor (blk=NPU) names a buffer",
        numbers={"override_tensor": "blk=NPU"},
    ),
)
_NOT_INSTALLED = ErrorClass.ENGINE_NOT_INSTALLED
# Lines that users posted in public, and lines made from the format strings of engines and libraries.
_POSTED = tuple(
    Case(file, error_class, advice, numbers={"tensor_parallel_size": 8, "max_model_len": 131072}, seen=False)
    for file, error_class, advice in (
        ("vllm/architecture-unknown.log", _NOT_INSTALLED, "install a newer one"),
        ("vllm/type-unknown.log", _NOT_INSTALLED, "install a newer one"),
        ("vllm/configuration-without-type.log", _CORRUPT, "does not say what it is"),
        ("vllm/context-over-kv-blocks.log", ErrorClass.KV_CACHE_TOO_SMALL, "max_model_len to 81920 or less"),
        ("vllm/marlin-parts.log", _CONFIGURATION, "parts of 96, which is no multiple of their blocks of 64"),
        ("vllm/moe-parts.log", _CONFIGURATION, "parts of 192, which is no multiple of their blocks of 128"),
        ("vllm/parts-not-aligned.log", _CONFIGURATION, "tensor_parallel_size (8)"),
        ("vllm/pipeline-not-supported.log", _CONFIGURATION, "pipeline_parallel_size to 1"),
        ("vllm/batch-under-image.log", _CONFIGURATION, "raise max_num_batched_tokens (it is 2048) to 2496"),
        ("vllm/no-fp8.log", _CONFIGURATION, "has no fp8"),
        ("vllm/kernel-over-shared-memory.log", _CONFIGURATION, "135168 bytes"),
        ("vllm/no-chat-template.log", _CONFIGURATION, "--chat-template"),
        ("vllm/gpu-ecc.log", ErrorClass.CUDA_FAULT, "out of service"),
        ("vllm/driver-too-old.log", _NOT_INSTALLED, "update the driver"),
        ("llamacpp/architecture-unknown.log", _NOT_INSTALLED, "models of the type newmodel"),
        ("llamacpp/batch-under-prompt.log", _CONFIGURATION, "raise n_ubatch"),
        ("llamacpp/draft-of-another-vocabulary.log", _CONFIGURATION, "another vocabulary"),
        ("machine/no-such-gpu.log", _CONFIGURATION, "There are fewer GPUs here"),
        ("sglang/no-memory-for-kv-cache.log", ErrorClass.KV_CACHE_TOO_SMALL, "raise mem_fraction_static"),
        ("sglang/experts-do-not-divide-devices.log", _CONFIGURATION, "must divide tensor_parallel_size (8)"),
        ("sglang/draft-model-missing.log", _CONFIGURATION, "set speculative_draft_model_path"),
        ("sglang/prompt-over-context.log", ErrorClass.KV_CACHE_TOO_SMALL, "longer than context_length"),
        (
            "sglang/out-of-memory-while-capturing.log",
            ErrorClass.GPU_OUT_OF_MEMORY,
            "beside the KV cache: lower mem_fraction_static",
        ),
        ("machine/driver-not-reloaded.log", _NOT_INSTALLED, "restart the machine"),
        ("machine/binaries-do-not-match.log", _NOT_INSTALLED, "_ZN3c105ErrorC2ENS_14SourceLocationESs"),
        ("machine/c-library-too-old.log", _NOT_INSTALLED, "GLIBC_2.38"),
        ("machine/packages-of-the-model.log", _NOT_INSTALLED, "install einops, flash_attn"),
        ("machine/no-python-module.log", _NOT_INSTALLED, "module timm"),
        ("machine/hub-not-reached.log", _NOT_FOUND, "download"),
        ("machine/hub-limits-requests.log", ErrorClass.REQUESTS_FAILED, "wait, or give a token"),
        ("machine/file-not-permitted.log", ErrorClass.ACCESS_DENIED, "owner or mode"),
        ("machine/too-many-open-files.log", ErrorClass.ENGINE_CRASHED, "ulimit -n"),
        ("machine/killed-for-memory.log", _HOST_MEMORY, "killed the engine"),
        ("machine/bus-error.log", _HOST_MEMORY, "--shm-size"),
        ("machine/no-system-library.log", _NOT_INSTALLED, "libcuda.so.1"),
        ("machine/disk-full.log", ErrorClass.DISK_FULL, "Free space"),
    )
)
CASES: tuple[Case, ...] = (*_VLLM, *_TRANSFORMERS, *_LLAMACPP, *_POSTED)


def _case_name(case: Case) -> str:
    return case.file if case.seen else f"{case.file} (never seen)"


def _patterns(file: str) -> tuple[Pattern, ...]:
    engine = file.partition("/")[0]
    return BUILT_IN[engine].logs.patterns if engine in BUILT_IN else all_patterns()


@pytest.mark.parametrize("case", CASES, ids=_case_name)
def test_a_real_log_gets_its_class_and_its_numbers(case):
    """The class is found in the whole log, and the suggestion says what to do with the trial's numbers."""
    log = (_EXCERPTS / case.file).read_text()
    patterns = _patterns(case.file)
    failure = classify(Evidence(log, case.exit_code, case.signal, case.numbers, patterns))
    assert failure.error_class is case.error_class
    assert case.advice in failure.suggestion
    assert "{" not in failure.suggestion


def test_every_excerpt_is_judged():
    """No log lies here unread."""
    found = {str(path.relative_to(_EXCERPTS)) for path in _EXCERPTS.rglob("*.log")}
    assert found == {case.file for case in CASES}


def test_at_least_thirty_causes_have_a_name_and_an_excerpt():
    """What people are advised is proved by a log each."""
    causes = {
        cause_of(Evidence((_EXCERPTS / case.file).read_text(), patterns=_patterns(case.file)))
        for case in CASES
    }
    assert len(causes - {""}) >= 30


@pytest.mark.parametrize(
    "patterns", [*(engine.logs.patterns for engine in BUILT_IN.values()), machine.PATTERNS]
)
def test_each_cause_of_a_source_has_one_name(patterns):
    """A name says which cause it is, in words joined by hyphens."""
    names = [each.name for each in patterns]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) for name in names)
