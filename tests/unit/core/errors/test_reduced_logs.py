"""Failures of engines and machines, reduced to the lines that decide: class, words and limits.

The lines come from public threads, or are in the words of the programs that write them.
"""

import json
from pathlib import Path

import pytest

from llmopt_core.engines.other_servers import OTHER_SERVERS
from llmopt_core.engines.registry import BUILT_IN, all_patterns
from llmopt_core.errors.classes import ErrorClass
from llmopt_core.errors.classification import Evidence, classify, is_known
from llmopt_core.errors.limits import LimitRule

REDUCED = Path(__file__).parents[3] / "data/engine_logs/reduced"
CASES = [
    (path.stem, json.loads(line))
    for path in sorted(REDUCED.glob("*.jsonl"))
    for line in path.read_text().splitlines()
]


def _patterns(engine):
    if engine in OTHER_SERVERS:
        return OTHER_SERVERS[engine].patterns
    return BUILT_IN[engine].logs.patterns if engine in BUILT_IN else all_patterns()


def _named(case):
    engine, reduced = case
    return f"{engine}: {reduced['class']}, {reduced['log'][-300:].splitlines()[0][:60]}"


@pytest.mark.parametrize(("engine", "reduced"), CASES, ids=map(_named, CASES))
def test_a_reduced_failure_is_what_an_expert_says(engine, reduced):
    """Its class, the words that help, and what it bounds; a consequence is never the message."""
    failure = classify(Evidence(reduced["log"], exit_code=1, patterns=_patterns(engine)))
    assert failure.error_class is ErrorClass(reduced["class"])
    assert [word for word in reduced["said"] if word not in failure.text] == []
    assert [str(limit) for limit in failure.limits if str(limit) in reduced["limits"]] == reduced["limits"]
    assert "See root cause above" not in failure.message
    assert "{" not in failure.suggestion


def test_most_failures_have_a_known_cause():
    """What is only a crash says no remedy: few of these may be that."""
    known = [is_known(Evidence(row["log"], patterns=_patterns(engine))) for engine, row in CASES]
    assert sum(known) > 0.95 * len(known) > 100


def test_a_line_that_speaks_of_another_number_bounds_nothing():
    """`12 is not divisible by 8` where no parameter is 8 says nothing of tensor_parallel_size."""
    rule = LimitRule("tensor_parallel_size", divides="whole", value="size")
    groups = {"whole": "12", "size": "8"}
    assert rule.limit(groups, {"tensor_parallel_size": 4}) is None
    assert str(rule.limit(groups, {"tensor_parallel_size": 8})) == "tensor_parallel_size must divide 12"


@pytest.mark.parametrize(
    ("log", "said"),
    [
        (
            "llama_model_load: error loading model: odd thing\nmain: exiting due to model loading error",
            "odd thing",
        ),
        (
            "loading\n/ggml.c:1234: GGML_ASSERT(n_tokens <= n_batch) failed\n[New LWP 7]",
            "GGML_ASSERT(n_tokens",
        ),
        ("terminate called\n  what():  vector::_M_range_check\nAborted", "_M_range_check"),
        ("Exception: odd thing\nException: WorkerProc initialization failed due to x", "odd thing"),
        ("ERROR 03-19 10:48:40 worker_base.py:467] OddError: odd thing\nlater", "OddError: odd thing"),
        ("llama_x: failed to do an odd thing\nlater", "failed to do an odd thing"),
        ('level=INFO msg=a\nlevel=ERROR source=server.go:1 msg="odd thing"\nlevel=INFO msg=b', "odd thing"),
        ("T00:00:00Z ERROR shard: an odd thing\nError: ShardCannotStart", "odd thing"),
        ("odd.module.OddError_Kind: odd thing\nlater", "odd thing"),
    ],
)
def test_what_no_pattern_knows_is_said_by_its_own_line(log, said):
    """Programs in C++, plain exceptions and older loggers name their cause as well."""
    assert said in classify(Evidence(log, exit_code=1, patterns=all_patterns())).message


@pytest.mark.parametrize("reduced", [reduced for name, reduced in CASES if name in OTHER_SERVERS])
def test_a_log_of_another_server_that_is_not_named_has_the_same_class(reduced):
    """Its words are looked for with those of all engines."""
    failure = classify(Evidence(reduced["log"], patterns=all_patterns()))
    assert failure.error_class is ErrorClass(reduced["class"])


@pytest.mark.parametrize(
    "log",
    [
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.27 GiB.",
        "torch.OutOfMemoryError: XPU out of memory. Tried to allocate 1.27 GiB.",
        "  File 'a.py', line 1, in load_model\ntorch.OutOfMemoryError: CUDA out of memory. Tried 2 GiB",
        "ggml_backend_cuda_buffer_type_alloc_buffer: cudaMalloc failed: out of memory",
        "RuntimeError: [enforce fail] DefaultCPUAllocator: can't allocate memory: 9 bytes",
    ],
)
def test_memory_of_a_server_that_is_not_known_is_nobodys_parameter(log):
    """What to change has no server's own name, and no study is told to try it."""
    failure = classify(Evidence(log, patterns=all_patterns()))
    assert failure.error_class in {ErrorClass.GPU_OUT_OF_MEMORY, ErrorClass.HOST_OUT_OF_MEMORY}
    assert "_" not in failure.suggestion
    assert (failure.limits, failure.remedies) == ((), ())


def test_other_servers_lines_are_not_in_a_healthy_log():
    """They go on after these, or only begin."""
    healthy = (
        "common_chat_templates_init: failed to parse chat template (defaulting to chatml): Expected a tag",
        "INFO 11-26 10:00:00 [api_server.py:1] Killed sessions: 0",
        'time=2025-01-17T10:00:00Z level=INFO source=server.go:594 msg="llama runner started"',
        "INFO text_generation_launcher: Shard ready in 8.1s rank=0",
        "[TensorRT-LLM][INFO] [MemUsageChange] Allocated 78.30 GiB for max tokens in paged KV cache.",
    )
    assert [classify(Evidence(line, patterns=all_patterns())).error_class for line in healthy] == [
        ErrorClass.UNKNOWN
    ] * len(healthy)


def test_flash_attention_for_a_quantised_cache_is_advised():
    """The search tries the same once more with it."""
    log = "llama_init_from_model: V cache quantization requires flash_attn"
    failure = classify(Evidence(log, patterns=BUILT_IN["llamacpp"].logs.patterns))
    assert [str(each) for each in failure.remedies][:1] == ["set flash_attn to on"]
