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


def targeted(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return `parameters` of a speculation for a model of which it looks at nothing."""
    parallel = ParallelConfig()
    return {**parameters, "target_parallel_config": parallel, "target_model_config": _TARGET}


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
        "speculated": [refusal(SpeculativeConfig, targeted(made)) for made in asked["speculations"]],
        "parallel": [refusal(ParallelConfig, made) for made in asked["parallel"]],
    },
    sys.stdout,
    default=str,
)
