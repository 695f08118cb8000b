"""Every failure has one class, from real lines that engines wrote."""

import pytest

from llmopt_core.engines.registry import BUILT_IN, all_patterns
from llmopt_core.errors.classes import ErrorClass, RetryPolicy
from llmopt_core.errors.classification import Evidence, classify
from llmopt_core.errors.patterns import machine
from llmopt_core.errors.policies import POLICIES

# Lines that llama.cpp's server and Linux really wrote.
LINES = [
    (
        "ggml_cuda_alloc_buffer: allocating 9216.00 MiB on device 0: cudaMalloc failed: out of memory",
        ErrorClass.GPU_OUT_OF_MEMORY,
    ),
    ("llama_kv_cache: failed to allocate buffer for kv cache", ErrorClass.KV_CACHE_TOO_SMALL),
    (
        "gguf_init_from_file: failed to open GGUF file '/models/none.gguf' (No such file or directory)",
        ErrorClass.MODEL_NOT_FOUND,
    ),
    (
        "gguf_init_from_reader: invalid magic characters: 'garb', expected 'GGUF'",
        ErrorClass.MODEL_CORRUPT,
    ),
    (
        "400: request (139 tokens) exceeds the available context size (128 tokens), try increasing it",
        ErrorClass.KV_CACHE_TOO_SMALL,
    ),
    (
        "ImportError: libgomp.so.1: cannot open shared object file: No such file or directory",
        ErrorClass.ENGINE_NOT_INSTALLED,
    ),
    ("OSError: [Errno 28] No space left on device", ErrorClass.DISK_FULL),
    ("start: couldn't bind HTTP server socket, hostname: 127.0.0.1, port: 8080", ErrorClass.PORT_BUSY),
    ("terminate called after throwing an instance of 'std::bad_alloc'", ErrorClass.HOST_OUT_OF_MEMORY),
    ("llama_init_from_model: V cache quantization requires flash_attn", ErrorClass.INVALID_CONFIGURATION),
]


@pytest.mark.parametrize(("line", "expected"), LINES)
def test_a_decisive_line_is_found_anywhere_in_the_log(line, expected):
    """The line that decides stands in the middle; what follows it is only a consequence."""
    log = "\n".join(["llama_model_loader: loaded meta data", line, *["consequence"] * 60])
    failure = classify(Evidence(log, exit_code=1, patterns=all_patterns()))
    assert failure.error_class is expected
    assert failure.message == line
    assert failure.suggestion


@pytest.mark.parametrize(
    ("evidence", "words"),
    [
        (Evidence("loading\nhalf way\n", signal=9), "signal 9; last line: half way"),
        (Evidence("loading\n", exit_code=134), "exit code 134; last line: loading"),
        (Evidence("", exit_code=1), "exit code 1; last line: it left no log"),
    ],
)
def test_an_end_without_a_decisive_line_is_a_crash(evidence, words):
    """Signal or exit code and the last line are all there is to say."""
    failure = classify(evidence)
    assert failure.error_class is ErrorClass.ENGINE_CRASHED
    assert words in failure.message


def test_an_illegal_instruction_is_a_program_for_another_processor():
    """No configuration can fix it, so the study ends instead of trying them all."""
    failure = classify(Evidence("warming up the model", signal=4))
    assert failure.error_class is ErrorClass.ENGINE_NOT_INSTALLED
    assert "built for another processor" in failure.suggestion
    assert POLICIES[failure.error_class] is RetryPolicy.FATAL


def test_a_missing_file_that_a_warning_mentions_ends_no_study():
    """Only an engine's own words about its model say that the model is not there."""
    log = "libibverbs: Warning: couldn't open /sys/class/infiniband: No such file or directory"
    evidence = Evidence(log, exit_code=1, patterns=all_patterns())
    assert classify(evidence).error_class is ErrorClass.ENGINE_CRASHED


def test_an_engine_that_still_runs_has_not_crashed():
    """Without an end and without a line the class is unknown."""
    assert classify(Evidence("all is well", patterns=all_patterns())).error_class is ErrorClass.UNKNOWN


def test_every_class_has_a_policy():
    """A user who meets a failure knows whether to retry, to inform the sampler, or to end the study."""
    assert set(POLICIES) == set(ErrorClass)


def test_long_messages_are_cut():
    """A line of a megabyte does not end up in a status."""
    assert len(classify(Evidence("x" * 1_000_000 + " out of memory", exit_code=1)).message) <= 500


def test_patterns_name_no_line_of_an_orderly_start():
    """What every good log says decides nothing."""
    good = "llama_model_loader: loaded\nllama_context: n_ctx = 8192\nmain: server is listening\n"
    assert not any(pattern.line.search(good) for pattern in (*all_patterns(), *machine.PATTERNS))


@pytest.mark.parametrize(
    ("engine", "advice"),
    [("vllm", "gpu_memory_utilization"), ("transformers", "cb_num_blocks"), ("llamacpp", "smaller context")],
)
def test_what_libraries_say_is_answered_in_the_engines_own_words(engine: str, advice: str) -> None:
    """Two engines on one library write the same line; the suggestion names parameters of the one that did."""
    log = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB."
    assert advice in classify(Evidence(log, 1, patterns=BUILT_IN[engine].logs.patterns)).suggestion


@pytest.mark.parametrize(
    "line",
    [
        "WARNING 01-01 00:00:00 [utils.py:1] ModuleNotFoundError: No module named 'flash_attn'",
        "(APIServer pid=1) WARNING 01-01 00:00:00 [a.py:1] OSError: [Errno 24] Too many open files",
        "INFO 01-01 00:00:00 [tune.py:1] out of resource: shared memory, Required: 2, Hardware limit: 1",
    ],
)
def test_what_an_engine_does_without_is_no_cause(line):
    """A warning names what is missing or may come; only the first error says what ended the engine."""
    failure = classify(
        Evidence(f"{line}\nKeyError: 'something new'", exit_code=1, patterns=BUILT_IN["vllm"].logs.patterns)
    )
    assert failure.error_class is ErrorClass.ENGINE_CRASHED
    assert "KeyError: 'something new'" in failure.message
