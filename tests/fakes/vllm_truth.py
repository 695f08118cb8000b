"""Run by the Python of vLLM's environment: prints what its own classes say about arguments, as JSON.

Standard input holds what is asked: command lines to parse, sampling parameters and schedulers to make.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import fields
from typing import Any
from unittest.mock import MagicMock

from vllm import envs
from vllm.config import VllmConfig
from vllm.config.cache import CacheConfig
from vllm.config.compilation import CompilationConfig
from vllm.config.offload import OffloadConfig
from vllm.config.parallel import ParallelConfig
from vllm.config.scheduler import SchedulerConfig
from vllm.config.speculative import SpeculativeConfig
from vllm.engine.arg_utils import EngineArgs
from vllm.entrypoints.launchers.cli_args import make_arg_parser
from vllm.exceptions import VLLMValidationError
from vllm.sampling_params import SamplingParams
from vllm.utils.argparse_utils import FlexibleArgumentParser

SAMPLING = (
    "temperature", "top_p", "top_k", "min_p", "repetition_penalty", "presence_penalty", "frequency_penalty",
    "seed",
)  # fmt: skip

# A model of which speculation by look-up needs nothing.
_TARGET = MagicMock()


def parsed(arguments: list[str]) -> dict[str, Any]:
    """Return what `vllm serve` makes of a command line."""
    found = make_arg_parser(FlexibleArgumentParser()).parse_args(arguments)
    plain = {name: value for name, value in vars(found).items() if is_plain(value)}
    return {**plain, "compilation_config": str(found.compilation_config)}


def is_plain(value: Any) -> bool:
    return isinstance(value, bool | int | float | str | list | dict | type(None))


def sampled(parameters: dict[str, Any]) -> dict[str, Any] | str:
    """Return sampling parameters as a request's answer is sampled with them, or why they are refused."""
    try:
        made = SamplingParams(**parameters)
    except VLLMValidationError as error:
        return str(error)
    return {name: getattr(made, name) for name in SAMPLING}


def speculation(method: str, **parameters: Any) -> SpeculativeConfig:
    """Return a speculation for a model of which it looks at nothing."""
    parallel = ParallelConfig()
    return SpeculativeConfig(
        method=method, **parameters, target_parallel_config=parallel, target_model_config=_TARGET
    )


def offloading(offload_backend: str = "auto", **parameters: Any) -> OffloadConfig:
    """Return what lies in main memory, by groups of layers."""
    return OffloadConfig(offload_backend=offload_backend, prefetch=parameters)


def scheduled_speculation(method: str, *, async_scheduling: bool) -> VllmConfig:
    """Return a whole configuration that guesses by look-up."""
    scheduler = SchedulerConfig.default_factory(async_scheduling=async_scheduling)
    guessed = speculation(method, num_speculative_tokens=3)
    return VllmConfig(scheduler_config=scheduler, speculative_config=guessed)


def drafted(tensor_parallel_size: int, draft_tensor_parallel_size: int) -> int:
    """Return on how many devices the model that guesses is split."""
    target = ParallelConfig(tensor_parallel_size=tensor_parallel_size)
    return SpeculativeConfig._verify_and_get_draft_tp(target, draft_tensor_parallel_size, MagicMock())


def captured(max_num_batched_tokens: int = 2048, **parameters: Any) -> None:
    """Settle which batches have a graph, of an engine on a GPU."""
    engine = MagicMock(performance_mode="balanced", speculative_config=None, uniform_decode_query_len=1)
    engine.model_config.enforce_eager = False
    engine.compilation_config = CompilationConfig(**parameters)
    engine.scheduler_config = SchedulerConfig.default_factory(
        max_num_seqs=1, max_num_batched_tokens=max_num_batched_tokens
    )
    VllmConfig._set_cudagraph_sizes(engine)


def kept_states(max_model_len: int = 2048, **parameters: Any) -> None:
    """Settle how often the states of state-space layers are kept."""
    engine = MagicMock(cache_config=CacheConfig(**parameters))
    engine.model_config.max_model_len = max_model_len
    VllmConfig.validate_mamba_block_size(engine)


def fast_prefill(method: str) -> VllmConfig:
    """Return a whole configuration that skips most of a prompt, and guesses by `method`."""
    guessed = speculation("ngram", num_speculative_tokens=3)
    guessed.method = method
    return VllmConfig(cache_config=CacheConfig(kv_sharing_fast_prefill=True), speculative_config=guessed)


def refusal(kind: Callable[..., Any], parameters: dict[str, Any]) -> str:
    """Return why a part of vLLM's configuration is refused, "" where it is not."""
    try:
        kind(**parameters)
    except ValueError as error:
        return str(error)
    return ""


asked = json.load(sys.stdin)
json.dump(
    {
        "defaults": {field.name: field.default for field in fields(EngineArgs) if is_plain(field.default)},
        "threads_bind": envs.VLLM_CPU_OMP_THREADS_BIND,
        "parsed": [parsed(arguments) for arguments in asked["command_lines"]],
        "sampled": [sampled(parameters) for parameters in asked["sampling"]],
        "scheduled": [refusal(SchedulerConfig.default_factory, made) for made in asked["schedulers"]],
        "speculated": [refusal(speculation, made) for made in asked["speculations"]],
        "parallel": [refusal(ParallelConfig, made) for made in asked["parallel"]],
        "offloaded": [refusal(offloading, made) for made in asked["offloads"]],
        "scheduled_speculations": [
            refusal(scheduled_speculation, made) for made in asked["scheduled_speculations"]
        ],
        "drafted": [refusal(drafted, made) for made in asked["drafts"]],
        "captured": [refusal(captured, made) for made in asked["captures"]],
        "kept_states": [refusal(kept_states, made) for made in asked["states"]],
        "fast_prefill": [refusal(fast_prefill, made) for made in asked["fast_prefills"]],
    },
    sys.stdout,
    default=str,
)
