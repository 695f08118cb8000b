"""llama.cpp's HTTP server out of the installed wheel `xllamacpp`, as a program with llama-server's flags.

`python -m llmopt_runner.engines.llamacpp.wheel_server -m model.gguf -np 4 -c 4096` serves until it is ended.
"""

import argparse
import contextlib
import ctypes
import signal
import sys
from collections.abc import Sequence
from typing import Any

import xllamacpp  # type: ignore[import-untyped]  # a compiled module without stubs

from llmopt_core.engines.llamacpp.flags import LOAD_FLAGS, SAMPLING_FLAGS, SPECULATION_TYPES, Flag

_CACHE_TYPES = {
    name: getattr(xllamacpp.ggml_type, f"GGML_TYPE_{name.upper()}")
    for name in ("f32", "f16", "bf16", "q8_0", "q4_0", "q4_1", "iq4_nl", "q5_0", "q5_1")
}
_FLASH_ATTENTION = {
    "on": xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_ENABLED,
    "off": xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED,
    "auto": xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_AUTO,
}
_LOAD_MODES = {
    "auto": xllamacpp.llama_load_mode.LLAMA_LOAD_MODE_AUTO,
    "none": xllamacpp.llama_load_mode.LLAMA_LOAD_MODE_NONE,
    "mmap": xllamacpp.llama_load_mode.LLAMA_LOAD_MODE_MMAP,
    "mlock": xllamacpp.llama_load_mode.LLAMA_LOAD_MODE_MLOCK,
    "mmap+mlock": xllamacpp.llama_load_mode.LLAMA_LOAD_MODE_MMAP_MLOCK,
    "dio": xllamacpp.llama_load_mode.LLAMA_LOAD_MODE_DIRECT_IO,
}
_SPLIT_MODES = {
    name: getattr(xllamacpp.llama_split_mode, f"LLAMA_SPLIT_MODE_{name.upper()}")
    for name in ("none", "layer", "row", "tensor")
}
_SPECULATION = {
    name: [
        getattr(
            xllamacpp.common_speculative_type,
            f"COMMON_SPECULATIVE_TYPE_{name.upper().replace('-', '_')}",
        )
    ]
    for name in SPECULATION_TYPES
}
_WORDS = {
    "cache_type": _CACHE_TYPES,
    "flash_attention": _FLASH_ATTENTION,
    "load_mode": _LOAD_MODES,
    "split_mode": _SPLIT_MODES,
    "speculation": _SPECULATION,
    "switch": {"on": True, "off": False},
}
_NUMBERS = {"int": int, "float": float, "layers_of_experts": int}
_MOST_GPUS = 128
_EXPERTS = "ffn_(up|down|gate|gate_up)_(ch|)exps"
_FLAGS = tuple(flag for flag in (*LOAD_FLAGS.values(), *SAMPLING_FLAGS.values()) if flag.attribute)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    arguments = argparse.ArgumentParser(
        prog="llamacpp_server", description=__doc__, allow_abbrev=False, argument_default=None
    )
    arguments.add_argument("-m", "--model", required=True, help="a GGUF file")
    arguments.add_argument("-a", "--alias", help="what requests call the model")
    arguments.add_argument("--host", default="127.0.0.1")
    arguments.add_argument("--port", type=int, default=8080)
    arguments.add_argument("--metrics", action="store_true", help="serve /metrics")
    arguments.add_argument("-lv", "--verbosity", type=int, default=3, help="4 logs memory sizes")
    arguments.add_argument("--slot-save-path", help="a folder; lets a client empty a slot's cache")
    for flag in _FLAGS:
        _add(arguments, flag)
    return arguments


def _add(arguments: argparse.ArgumentParser, flag: Flag) -> None:
    names = tuple(name for name in (flag.short, flag.long) if name)
    if flag.kind == "bool":
        arguments.add_argument(*names, dest=flag.parameter, action="store_true", default=None)
        arguments.add_argument(flag.negative, dest=flag.parameter, action="store_false", default=None)
        return
    words = _WORDS.get(flag.kind)
    arguments.add_argument(
        *names, dest=flag.parameter, type=_NUMBERS.get(flag.kind, str), choices=words and tuple(words)
    )


def server_parameters(arguments: argparse.Namespace) -> xllamacpp.CommonParams:
    """Return llama.cpp's parameters: its own defaults where the command line says nothing."""
    params = xllamacpp.CommonParams()
    params.model.path = arguments.model
    params.hostnames = [arguments.host]
    params.port = arguments.port
    params.endpoint_metrics = arguments.metrics
    params.verbosity = arguments.verbosity
    if arguments.alias:
        params.model_alias = {arguments.alias}
    if arguments.slot_save_path:
        params.slot_save_path = f"{arguments.slot_save_path.rstrip('/')}/"
    for flag in _FLAGS:
        value = getattr(arguments, flag.parameter)
        if value is not None and flag.attribute:
            _set(params, flag.attribute, _held(flag, value, params))
    return params


def _held(flag: Flag, value: Any, params: xllamacpp.CommonParams) -> object:
    """Return `value` as the wheel's parameters hold it."""
    if flag.kind in _WORDS:
        return _WORDS[flag.kind][value]
    if flag.parameter == "kv_offload":
        return not value
    if flag.kind == "proportions":
        shares = [float(share) for share in value.split(",")]
        return shares + [0.0] * (_MOST_GPUS - len(shares))
    if flag.kind == "layers_of_experts":
        value = ",".join(f"blk\\.{layer}\\.{_EXPERTS}=CPU" for layer in range(value))
    if flag.attribute == "tensor_buft_overrides":
        return ",".join(filter(None, (params.tensor_buft_overrides, value)))
    return value


def _set(target: object, attribute: str, value: object) -> None:
    *path, name = attribute.split(".")
    for step in path:
        target = getattr(target, step)
    setattr(target, name, value)


def _flush_log() -> None:
    """Write what llama.cpp's logging thread still holds: it is the cause, and would be lost at the exit.

    The wheel has no call for it, but its library has, under the names the C++ compiler gives.
    """
    library = ctypes.CDLL(xllamacpp.xllamacpp.__file__)
    with contextlib.suppress(AttributeError):  # another build may keep the names to itself
        log, flush = library["_Z15common_log_mainv"], library["_Z16common_log_flushP10common_log"]
        log.restype = ctypes.c_void_p
        flush.argtypes = (ctypes.c_void_p,)
        flush(log())


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal ends the process; return 1 when the server cannot start."""
    params = server_parameters(parser().parse_args(arguments))
    try:
        server = xllamacpp.Server(params)
    except RuntimeError as error:
        _flush_log()
        sys.stderr.write(f"llamacpp_server: cannot serve {params.model.path}: {error}\n")
        return 1
    sys.stderr.write(f"llamacpp_server: serving at {server.listening_address}\n")
    try:
        signal.pause()
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
