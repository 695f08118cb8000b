"""Run by the Python of vLLM's environment: prints what its own classes say about arguments, as JSON.

Standard input holds what is asked: command lines to parse, sampling parameters and schedulers to make.
"""

import json
import sys
from dataclasses import fields
from typing import Any, get_args

from vllm import envs
from vllm.config.cache import CacheConfig, CacheDType
from vllm.config.model import ModelDType
from vllm.config.scheduler import SchedulerConfig
from vllm.engine.arg_utils import EngineArgs
from vllm.entrypoints.launchers.cli_args import make_arg_parser
from vllm.exceptions import VLLMValidationError
from vllm.model_executor.layers.quantization import DEPRECATED_QUANTIZATION_METHODS, QuantizationMethods
from vllm.sampling_params import SamplingParams
from vllm.utils.argparse_utils import FlexibleArgumentParser

SAMPLING = (
    "temperature", "top_p", "top_k", "min_p", "repetition_penalty", "presence_penalty", "frequency_penalty",
    "seed",
)  # fmt: skip


def parsed(arguments: list[str]) -> dict[str, Any]:
    """Return what `vllm serve` makes of a command line."""
    found = make_arg_parser(FlexibleArgumentParser()).parse_args(arguments)
    return {name: value for name, value in vars(found).items() if is_plain(value)}


def is_plain(value: Any) -> bool:
    return isinstance(value, bool | int | float | str | list | dict | type(None))


def sampled(parameters: dict[str, Any]) -> dict[str, Any] | str:
    """Return sampling parameters as a request's answer is sampled with them, or why they are refused."""
    try:
        made = SamplingParams(**parameters)
    except VLLMValidationError as error:
        return str(error)
    return {name: getattr(made, name) for name in SAMPLING}


def scheduled(parameters: dict[str, Any]) -> str:
    """Return why a scheduler is refused, "" where it is not."""
    try:
        SchedulerConfig.default_factory(**parameters)
    except ValueError as error:
        return str(error)
    return ""


asked = json.load(sys.stdin)
json.dump(
    {
        "defaults": {field.name: field.default for field in fields(EngineArgs) if is_plain(field.default)},
        "gpu_memory_utilization": CacheConfig.gpu_memory_utilization,
        "dtypes": get_args(ModelDType),
        "kv_cache_dtypes": get_args(CacheDType),
        "quantizations": sorted(set(get_args(QuantizationMethods)) - set(DEPRECATED_QUANTIZATION_METHODS)),
        "threads_bind": envs.VLLM_CPU_OMP_THREADS_BIND,
        "parsed": [parsed(arguments) for arguments in asked["command_lines"]],
        "sampled": [sampled(parameters) for parameters in asked["sampling"]],
        "scheduled": [scheduled(parameters) for parameters in asked["schedulers"]],
    },
    sys.stdout,
    default=str,
)
