"""Logs of engines that failed, as users posted them: the class, and what must be said."""

from pathlib import Path

import pytest

from llmopt_core.engines.registry import BUILT_IN, all_patterns
from llmopt_core.errors.classes import ErrorClass, RetryPolicy
from llmopt_core.errors.classification import Evidence, cause_of, classify
from llmopt_core.errors.policies import POLICIES

LOGS = Path(__file__).parents[3] / "data/engine_logs"
ENGINES = ("vllm", "transformers", "llamacpp", "sglang", "")
NUMBERS = {
    "max_num_seqs": 1024,
    "max_model_len": 132000,
    "tensor_parallel_size": 8,
    "gpu_memory_utilization": 0.9,
    "n_gpu_layers": 99,
    "n_ctx": 32768,
    "n_batch": 2048,
}


def _patterns(engine):
    return BUILT_IN[engine].logs.patterns if engine else all_patterns()


def _diagnosed(name):
    log = (LOGS / f"{name}.log").read_text()
    engine = name.split("-", maxsplit=1)[0]
    return classify(Evidence(log, exit_code=1, numbers=NUMBERS, patterns=_patterns(engine)))


@pytest.mark.parametrize(
    ("name", "error_class", "said"),
    [
        ("vllm-mamba-blocks", ErrorClass.INVALID_CONFIGURATION, ["max_num_seqs", "at most 856"]),
        ("vllm-kv-too-small", ErrorClass.KV_CACHE_TOO_SMALL, ["max_model_len", "123872"]),
        ("vllm-fp8-block-n", ErrorClass.INVALID_CONFIGURATION, ["tensor_parallel_size (8)", "blocks of 128"]),
        ("vllm-graph-capture-oom", ErrorClass.GPU_OUT_OF_MEMORY, ["1.27 GiB", "23.64 GiB"]),
        ("vllm-hip-oom", ErrorClass.GPU_OUT_OF_MEMORY, ["816.00 MiB", "61.35 GiB", "655.29 MiB"]),
        ("llamacpp-vulkan-oom", ErrorClass.GPU_OUT_OF_MEMORY, ["4757131264", "n_ctx (32768)"]),
        ("vllm-no-kernel-image", ErrorClass.ENGINE_NOT_INSTALLED, ["build", "GPU"]),
        ("vllm-no-c-compiler", ErrorClass.ENGINE_NOT_INSTALLED, ["C compiler", "package gcc"]),
        ("transformers-no-c-compiler", ErrorClass.ENGINE_NOT_INSTALLED, ["C compiler", "package gcc"]),
        ("transformers-no-such-gpu", ErrorClass.INVALID_CONFIGURATION, ["engine.args.device"]),
        ("vllm-trust-remote-code", ErrorClass.ACCESS_DENIED, ["spec.model.trustRemoteCode"]),
    ],
)
def test_a_log_has_the_class_of_its_cause_and_says_what_to_do(name, error_class, said):
    """The line that decides is found, whatever stands below it, and its numbers are in the words."""
    failure = _diagnosed(name)
    assert failure.error_class is error_class
    for words in said:
        assert words in failure.text


@pytest.mark.parametrize("name", ["vllm-no-kernel-image", "vllm-no-c-compiler", "vllm-trust-remote-code"])
def test_what_no_configuration_can_change_ends_the_study(name):
    """Another build, a compiler and a permission are the user's to give."""
    assert POLICIES[_diagnosed(name).error_class] is RetryPolicy.FATAL


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "line",
    [
        "CUDA error: no kernel image is available for execution on the device",
        "HIP error: invalid device function",
        "CUDA error: the provided PTX was compiled with an unsupported toolchain.",
    ],
)
def test_a_build_for_another_gpu_is_no_fault_of_the_gpu(engine, line):
    """Whichever engine says it, restarting the GPU would not help."""
    failure = classify(Evidence(f"RuntimeError: {line}", exit_code=1, patterns=_patterns(engine)))
    assert failure.error_class is ErrorClass.ENGINE_NOT_INSTALLED


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("line", "cause", "said"),
    [
        ("RuntimeError: Failed to find C compiler. Please specify via CC", "no-c-compiler", "gcc"),
        ("/bin/sh: 1: gcc: command not found", "no-c-compiler", "gcc"),
        ("RuntimeError: Could not find nvcc and default cuda_home='/cuda'", "no-nvcc", "nvcc"),
        ("FileNotFoundError: No such file or directory: '/cuda/bin/nvcc'", "no-nvcc", "nvcc"),
        ("/bin/sh: 1: g++: not found", "no-cpp-compiler", "g++"),
        ("/bin/sh: 1: c++: not found", "no-cpp-compiler", "g++"),
        ("RuntimeError: Ninja is required to load C++ extensions", "no-cpp-compiler", "ninja"),
        ("main.c:5:10: fatal error: Python.h: No such file or directory", "no-python-headers", "python3-dev"),
    ],
)
def test_a_compiler_that_is_missing_is_named_whichever_engine_looks_for_it(engine, line, cause, said):
    """What CUDA or its libraries say below it is no fault of the GPU."""
    log = f"{line}\nRuntimeError: CUDA error: unknown error"
    failure = classify(Evidence(log, exit_code=1, patterns=_patterns(engine)))
    assert failure.error_class is ErrorClass.ENGINE_NOT_INSTALLED
    assert cause_of(Evidence(log, patterns=_patterns(engine))) == cause
    assert said in failure.suggestion


@pytest.mark.parametrize("engine", ENGINES)
def test_too_little_shared_memory_is_no_fault_of_nccl(engine):
    """GPUs of one engine exchange data there; a container has 64 MB of it."""
    log = (
        "torch.distributed.DistBackendError: NCCL error in: ProcessGroupNCCL.cpp:77, unhandled system error\n"
        "Last error:\nError while creating shared memory segment /dev/shm/nccl-kB3aXq (size 9637888)"
    )
    failure = classify(Evidence(log, exit_code=1, patterns=_patterns(engine)))
    assert failure.error_class is ErrorClass.HOST_OUT_OF_MEMORY
    assert "--shm-size" in failure.suggestion


@pytest.mark.parametrize("backend", ["CUDA0", "ROCm1", "Vulkan0", "SYCL0", "Metal"])
def test_every_backend_of_llamacpp_can_run_out_of_memory(backend):
    """A buffer that does not fit on a device names the device, not always CUDA."""
    line = f"ggml_gallocr_reserve_n: failed to allocate {backend} buffer of size 4757131264"
    failure = classify(Evidence(line, exit_code=1, patterns=_patterns("llamacpp")))
    assert failure.error_class is ErrorClass.GPU_OUT_OF_MEMORY
