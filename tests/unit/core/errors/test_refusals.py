"""What an engine refuses at its start is no crash, and what crashes is no refusal."""

from dataclasses import replace

import pytest

from llmopt_core.engines.registry import BUILT_IN
from llmopt_core.errors.classes import ErrorClass, RetryPolicy
from llmopt_core.errors.classification import Evidence, cause_of, classify
from llmopt_core.errors.policies import POLICIES

PYDANTIC = "pydantic_core._pydantic_core.ValidationError: 1 validation error for"
REFUSED = "customized max_cudagraph_capture_size(=64) should be consistent with the max value"
WRAPPED = (
    f"{PYDANTIC} VllmConfig\n  Value error, {REFUSED} [type=value_error, input_value=ArgsKwargs((), {{}})"
    ", input_type=ArgsKwargs]\n    For further information visit https://errors.pydantic.dev/2.14/v/value_error"
)
FIELD = (
    f"(APIServer pid=1) {PYDANTIC} CacheConfig\n(APIServer pid=1) block_size\n"
    "(APIServer pid=1)   Input should be greater than 0 [type=greater_than, input_value=0, input_type=int]"
)
INNER = (
    "(EngineCore pid=2) ERROR 01-01 00:00:00 [core.py:900]     raise ValueError(\n"
    "(EngineCore pid=2) ERROR 01-01 00:00:00 [core.py:900] ValueError: no kernels for this\n"
    "RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}"
)
SCHEDULER = (
    "[2026-01-01 00:00:00] Scheduler hit an exception: Traceback (most recent call last):\n"
    "AssertionError: page size must be 64 here\n[2026-01-01 00:00:00] Received sigquit from a child process."
)

NO_EXPERTS = (
    "ValueError: Number of experts in the model must be greater than 0 when expert parallelism is enabled."
)
NO_GRAPHS = (
    "ValueError: CUDAGraphMode.FULL is not supported with X backend (support: A); please try"
    " cudagraph_mode=PIECEWISE, and make sure compilation mode is VLLM_COMPILE"
)


def _evidence(log, engine="vllm", exit_code=1, **end):
    return Evidence(log, exit_code, patterns=BUILT_IN[engine].logs.patterns, **end)


@pytest.mark.parametrize(
    ("engine", "log", "message"),
    [
        ("vllm", WRAPPED, f"Value error, {REFUSED}"),
        ("vllm", FIELD, "Input should be greater than 0"),
        ("vllm", INNER, "no kernels for this"),
        ("vllm", "ValueError: `mp` does not support async scheduling yet.", "`mp` does not support async"),
        ("vllm", "vllm serve: error: argument --kv-cache-dtype: invalid choice: 'nvfp5'", "invalid choice"),
        ("vllm", "vllm serve: error: argument --max-num-seqs: invalid int value: 'many'", "invalid int"),
        ("sglang", "launch_server.py: error: argument --attention-backend: invalid choice: 'x'", "'x'"),
        ("sglang", SCHEDULER, "page size must be 64 here"),
        ("sglang", "AssertionError: Pipeline parallelism needs dp_size 1", "needs dp_size 1"),
        ("llamacpp", 'error while handling argument "--cache-type-k": Unsupported cache type: q9', "q9"),
        ("llamacpp", "llamacpp_server: error: argument -t/--threads: expected one argument", "--threads"),
        ("transformers", "Error: Invalid value for '--cb-block-size': 'x' is not a valid integer", "'x'"),
        ("transformers", "ValueError: this model has no such cache", "has no such cache"),
    ],
)
def test_a_refusal_is_not_tried_again(engine, log, message):
    """It is the same the next time; the message is the engine's own."""
    failure = classify(_evidence(f"loading\n{log}\n", engine, exit_code=2))
    assert failure.error_class is ErrorClass.INVALID_CONFIGURATION
    assert message in failure.message
    assert "type=" not in failure.message
    assert "search space" in failure.suggestion


@pytest.mark.parametrize(
    ("later", "error_class"),
    [
        ("RuntimeError: CUDA error: an illegal memory access was encountered", ErrorClass.CUDA_FAULT),
        (
            "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1 GiB.",
            ErrorClass.GPU_OUT_OF_MEMORY,
        ),
        ("(EngineCore pid=2) ERROR 01-01 00:00:00 [a.py:1] KeyError: 'factor'", ErrorClass.ENGINE_CRASHED),
        ("Worker proc VllmWorker-0 died unexpectedly (exit code: None)", ErrorClass.ENGINE_CRASHED),
        ("EngineDeadError: EngineCore encountered an issue.", ErrorClass.ENGINE_CRASHED),
        ("INFO:     Application startup complete.", ErrorClass.ENGINE_CRASHED),
        ("Segmentation fault (core dumped)", ErrorClass.ENGINE_CRASHED),
        ("/usr/bin/serve: line 1: 77 Killed  vllm serve", ErrorClass.HOST_OUT_OF_MEMORY),
        ("bash: Killed", ErrorClass.ENGINE_CRASHED),
    ],
)
@pytest.mark.parametrize("earlier", [WRAPPED, "ValueError: no such thing"])
def test_a_crash_is_none_though_a_refusal_was_logged_before(earlier, later, error_class):
    """What an engine then does without is no reason for its end."""
    assert classify(_evidence(f"{earlier}\n{later}\n")).error_class is error_class


@pytest.mark.parametrize("end", [{"exit_code": None, "signal": 9}, {"exit_code": 137}, {"exit_code": 139}])
def test_what_was_killed_refused_nothing(end):
    """Neither by a signal, nor by the code that a shell makes of one."""
    assert classify(_evidence(WRAPPED, **end)).error_class is ErrorClass.ENGINE_CRASHED


def test_an_engine_that_served_has_refused_nothing():
    """A ValueError of a request, or of an engine's own fault, says nothing of its configuration."""
    evidence = replace(_evidence("ValueError: not enough values to unpack"), served=True)
    assert classify(evidence).error_class is ErrorClass.ENGINE_CRASHED
    assert cause_of(evidence) == ""


def test_errors_of_other_kinds_may_pass():
    """They are tried once more."""
    failure = classify(_evidence("RuntimeError: connection reset by the other side"))
    assert POLICIES[failure.error_class] is RetryPolicy.RETRY


@pytest.mark.parametrize(
    ("log", "advice"),
    [
        (
            "Value error, Target and draft model should have the same vocabulary size. Target model",
            ["set speculative_method to none"],
        ),
        (
            "ImportError: Arctic Inference is required for suffix decoding. Install via `pip install x`.",
            ["set speculative_method to none"],
        ),
        ("Value error, nvfp4 KV cache is not supported with MLA", ["set kv_cache_dtype to fp8"]),
        (NO_EXPERTS, ["set enable_expert_parallel to false"]),
        (NO_GRAPHS, ["set cudagraph_mode to PIECEWISE"]),
        ("ValueError: The model type 'gemma3' does not support float16.", ["set dtype to bfloat16"]),
    ],
)
def test_vllm_is_asked_for_what_it_takes_instead(log, advice):
    """One more configuration is tried, with what the words ask for."""
    failure = classify(_evidence(log))
    assert failure.error_class is ErrorClass.INVALID_CONFIGURATION
    assert [str(each) for each in failure.remedies][: len(advice)] == advice


@pytest.mark.parametrize("end", [{"signal": 9, "exit_code": None}, {"exit_code": 137}, {"exit_code": 0}])
def test_a_server_that_kills_itself_was_not_killed_for_memory(end):
    """SGLang's server ends so whenever one of its processes failed: what that process said counts."""
    for log in (
        SCHEDULER,
        f"{SCHEDULER}\nKilled",
        f"{SCHEDULER}\nrun.sh: line 9: 77 Killed  python3 -m sglang",
    ):
        failure = classify(Evidence(log, patterns=BUILT_IN["sglang"].logs.patterns, **end))
        assert failure.error_class is ErrorClass.INVALID_CONFIGURATION
        assert failure.message == "page size must be 64 here"
    killed = Evidence("loading\nKilled", patterns=BUILT_IN["sglang"].logs.patterns, **end)
    assert classify(killed).error_class is ErrorClass.HOST_OUT_OF_MEMORY
