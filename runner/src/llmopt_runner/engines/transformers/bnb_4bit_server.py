"""`transformers serve` with options of bitsandbytes' 4-bit weights that it has no flags for.

    python -m llmopt_runner.engines.transformers.bnb_4bit_server serve MODEL --quantization bnb-4bit \
        --bnb-4bit-quant-type fp4 --no-bnb-4bit-use-double-quant --bnb-4bit-compute-dtype bfloat16

All other arguments go to the server's own command line. This file runs in the engine's environment, by `-m`
where llmopt is installed there, else by its path. So it imports nothing of llmopt.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

_QUANTIZATION = "bnb-4bit"
_NEEDS = "bnb_4bit options need the server of transformers 5.23"
# What makes the configuration of a quantisation, and what loads a model, once for each.
_CONFIGURES, _LOADS = "get_quantization_config", "_load_model"
_MIB = 2**20


def main() -> None:
    """Serve as the arguments say; ends with one line where this version of the server is another."""
    options, arguments = parsed(sys.argv[1:])
    own_folder = str(Path(__file__).parent)  # on the path where this is run as a file; nothing there is meant
    sys.path[:] = [folder for folder in sys.path if folder != own_folder]
    try:
        manager = import_module("transformers.cli.serving.model_manager").ModelManager
        serve = import_module("transformers.cli.transformers").main
    except (ImportError, AttributeError) as error:
        raise SystemExit(f"{_NEEDS}: {error}") from error
    give(manager, options)
    sys.argv = ["transformers", *arguments]
    serve()


def parsed(arguments: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """Return the options by their names in `BitsAndBytesConfig`, and what the server itself is given."""
    parser = argparse.ArgumentParser("bnb_4bit_server", add_help=False, allow_abbrev=False)
    parser.add_argument("--quantization")
    own = parser.add_argument_group(argument_default=argparse.SUPPRESS)
    own.add_argument("--bnb-4bit-quant-type", choices=("nf4", "fp4"))
    own.add_argument("--bnb-4bit-use-double-quant", action=argparse.BooleanOptionalAction)
    own.add_argument("--bnb-4bit-compute-dtype", choices=("float32", "bfloat16", "float16"))
    known, others = parser.parse_known_args(arguments)
    options = vars(known)
    if options.pop("quantization") != _QUANTIZATION:
        parser.error(f"these options need --quantization {_QUANTIZATION}")
    return options, [*others, "--quantization", _QUANTIZATION]


def give(manager: Any, options: Mapping[str, Any]) -> None:
    """Let `manager`, which loads the server's models, quantise by `options`, and say what came of it.

    The server's own configuration is kept but for them. Raises SystemExit where `manager` is another than
    that of transformers 5.23.
    """
    for name in (_CONFIGURES, _LOADS):
        if not hasattr(manager, name):
            raise SystemExit(f"{_NEEDS}: its ModelManager has no {name}")
    configure, load = getattr(manager, _CONFIGURES), getattr(manager, _LOADS)

    def get_quantization_config(self: Any) -> Any:
        config = configure(self)
        return type(config).from_dict({**config.to_dict(), **options})

    def load_model(self: Any, *args: Any, **others: Any) -> Any:
        model = load(self, *args, **others)
        check(model, options)
        sys.stdout.write(f"{report(model)}\n")
        sys.stdout.flush()
        return model

    setattr(manager, _CONFIGURES, get_quantization_config)
    setattr(manager, _LOADS, load_model)


def check(model: Any, options: Mapping[str, Any]) -> None:
    """Raise ValueError where the weights of `model` are not quantised by `options`."""
    for found in used(model) or [{}]:
        for name, value in options.items():
            if found.get(name) != value:
                raise ValueError(
                    f"the model was loaded with {name} {found.get(name)}, not {value}: files that are"
                    " quantised already stay as they are"
                )


def used(model: Any) -> list[dict[str, Any]]:
    """Return by which options the layers of `model` are quantised, each combination once."""
    found = []
    for layer in _layers(model):
        state = layer.weight.quant_state
        each = {
            "bnb_4bit_quant_type": state.quant_type,
            "bnb_4bit_use_double_quant": state.nested,
            "bnb_4bit_compute_dtype": str(layer.compute_dtype).removeprefix("torch."),
        }
        if each not in found:
            found.append(each)
    return found


def report(model: Any) -> str:
    """Return the lines that say how `model` was loaded, one for each combination that its layers have."""
    weights = f"weights_mib={_weight_bytes(model) / _MIB:.1f}"
    return "\n".join(
        f"[llmopt] {' '.join(f'{name}={value}' for name, value in options.items())} {weights}"
        for options in used(model) or [{"layers": 0}]
    )


def _layers(model: Any) -> list[Any]:
    return [module for module in model.modules() if type(module).__name__ == "Linear4bit"]


def _weight_bytes(model: Any) -> int:
    """The bytes of all weights, with the scales of those of 4 bits."""
    states = [layer.weight.quant_state for layer in _layers(model)]
    scales = [state.absmax for state in states] + [state.state2.absmax for state in states if state.nested]
    tensors = [*model.parameters(), *model.buffers(), *scales]
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


if __name__ == "__main__":
    main()
