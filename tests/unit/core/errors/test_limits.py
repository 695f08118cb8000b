"""Limits that an engine named: read from its log, stored, and applied to later configurations."""

import json
from pathlib import Path

import pytest

from llmopt_core.engines.vllm.patterns import VLLM_LOGS
from llmopt_core.errors.classes import ErrorClass, Failure
from llmopt_core.errors.classification import Evidence, classify
from llmopt_core.search.configurations import Configuration
from llmopt_core.storage.documents import ENDINGS, Ending, dump
from llmopt_core.storage.records import Outcome, OutcomeKind

LOGS = Path(__file__).parents[3] / "data/engine_logs"
MAMBA = (LOGS / "vllm-mamba-blocks.log").read_text()
KV = (LOGS / "vllm-kv-too-small.log").read_text()
BLOCKS = (LOGS / "vllm-fp8-block-n.log").read_text()
HEADS = "Total number of attention heads (40) must be divisible by tensor parallel size (16)."
DEVICES = "World size (8) is larger than the number of available GPUs (2) in this node."
ROUNDS = "Value error, num_speculative_tokens:5 must be divisible by n_predict=2 [type=value_error]"
KV_HEADS = (
    "ValueError: Decode context parallelism for GQA/MQA requires `--tensor-parallel-size` (4) to be greater"
    " than the model's total number of KV heads (8)."
)
COPIES = (
    "ValueError: `--decode-context-parallel-size` (4) exceeds the maximum supported value (2) for"
    " `--tensor-parallel-size` (16) and 8 model KV heads."
)
QUERIES = (
    "ValueError: The model's number of query heads per KV head (8) must be divisible by"
    " `--decode-context-parallel-size` (3) for GQA/MQA."
)
LONGEST = "User-specified max_model_len (9000) is greater than the derived max_model_len (None=4096 or x)"


def _limit(log, **engine):
    (limit,) = classify(Evidence(log, exit_code=1, numbers=engine, patterns=VLLM_LOGS.patterns)).limits
    return limit


REFUSED = {"max_num_seqs": 1024, "gpu_memory_utilization": 0.9, "dtype": "auto"}


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        ({}, True),
        ({"max_num_seqs": 857}, True),
        ({"max_num_seqs": 856}, False),
        ({"max_num_seqs": 4096, "gpu_memory_utilization": 0.5}, True),
        ({"gpu_memory_utilization": 0.95}, False),
        ({"dtype": "float32"}, False),
        ({"enforce_eager": True}, False),
        ({"tensor_parallel_size": 2}, False),
        ({"max_num_seqs": None}, False),
    ],
)
def test_a_limit_holds_where_the_engine_has_nothing_more_to_work_with(changes, broken):
    """Beyond it nothing is started; with more memory or another type a larger value may fit."""
    assert _limit(MAMBA, **REFUSED).is_broken_by({**REFUSED, **changes}) is broken


def test_a_parameter_that_is_not_set_has_the_value_that_the_engine_took():
    """The default breaks the limit again, and so does the same value when it is set."""
    limit = _limit(KV, gpu_memory_utilization=0.9)
    assert limit.is_broken_by({"gpu_memory_utilization": 0.9})
    assert limit.is_broken_by({"gpu_memory_utilization": 0.9, "max_model_len": 132_000})
    assert not limit.is_broken_by({"gpu_memory_utilization": 0.9, "max_model_len": 123_872})


@pytest.mark.parametrize(
    ("log", "refused", "works", "fails", "words"),
    [
        (MAMBA, 1024, {1, 856}, {857, 1024}, "max_num_seqs must be at most 856"),
        (KV, 132_000, {123_872}, {123_873}, "max_model_len must be at most 123872"),
        (LONGEST, 9000, {4096}, {4097}, "max_model_len must be at most 4096"),
        (DEVICES, 8, {1, 2}, {3, 4, 8}, "tensor_parallel_size must be at most 2"),
        (HEADS, 16, {1, 2, 4, 5, 8}, {3, 16}, "tensor_parallel_size must divide 40"),
        (ROUNDS, 5, {1, 2, 4, 6}, {3, 5}, "num_speculative_tokens must be at most 2, or a multiple of it"),
        (KV_HEADS, 2, {1}, {2, 4}, "decode_context_parallel_size must be at most 1"),
        (COPIES, 4, {1, 2}, {4}, "decode_context_parallel_size must be at most 2"),
        (QUERIES, 3, {1, 2, 4, 8}, {3, 6}, "decode_context_parallel_size must divide 8"),
        # 192 a part with eight of them: 1536, of which halves, quarters and sixths are multiples of 128.
        (BLOCKS, 8, {1, 2, 4, 6}, {8, 16}, "tensor_parallel_size must split 1536 into multiples of 128"),
    ],
)
def test_the_limit_that_a_log_names(log, refused, works, fails, words):
    """Its own number decides, in either direction."""
    name = words.split(" ", maxsplit=1)[0]
    limit = _limit(log, **{name: refused})
    assert str(limit) == words
    assert {value for value in works | fails if limit.is_broken_by({name: value})} == fails


def test_a_limit_is_kept_in_the_study():
    """What one runner learned, every other one reads."""
    failure = classify(Evidence(MAMBA, exit_code=1, numbers=REFUSED, patterns=VLLM_LOGS.patterns))
    ending = Ending(Outcome(OutcomeKind.INFEASIBLE, Configuration(engine=REFUSED), failure=failure))
    assert ENDINGS.validate_json(dump(ending)) == ending


def test_a_failure_without_limits_is_read_as_before():
    """What an earlier version stored names none."""
    outcome = {"kind": "failed", "configuration": {}}
    outcome["failure"] = {"error_class": "Unknown", "message": "m", "suggestion": "s"}
    stored = ENDINGS.validate_json(json.dumps({"outcome": outcome}))
    assert stored.outcome.failure == Failure(ErrorClass.UNKNOWN, "m", "s")


@pytest.mark.parametrize("number", ["0", "9" * 5000])
def test_a_number_without_sense_is_no_limit(number):
    """A log may say anything."""
    log = MAMBA.replace("856", number)
    assert classify(Evidence(log, exit_code=1, numbers=REFUSED, patterns=VLLM_LOGS.patterns)).limits == ()


def test_a_smallest_value_is_learnt_too():
    """An image must fit into one step: what is smaller is not started again."""
    log = (
        "ValueError: Chunked MM input disabled but max_tokens_per_mm_item (2496) is larger than"
        " max_num_batched_tokens (2048). Please increase max_num_batched_tokens."
    )
    limit = _limit(log)
    assert str(limit) == "max_num_batched_tokens must be at least 2496"
    broken = [
        value
        for value in (None, 1024, 2495, 2496, 8192)
        if limit.is_broken_by({"max_num_batched_tokens": value})
    ]
    assert broken == [1024, 2495]
    assert limit.is_broken_by({})


def test_parts_of_other_kernels_are_learnt_too():
    """Marlin's threads and the blocks of experts: the parallel size that splits them evenly may be tried."""
    log = "ValueError: Weight output_size_per_partition = 96 is not divisible by  min_thread_n = 64."
    limit = _limit(log, tensor_parallel_size=8)
    assert [size for size in (1, 2, 4, 8) if not limit.is_broken_by({"tensor_parallel_size": size})] == [
        1,
        2,
        4,
    ]
