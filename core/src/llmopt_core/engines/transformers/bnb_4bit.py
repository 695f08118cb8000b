"""The options of bitsandbytes' 4-bit weights: `transformers serve` has no flags for them.

Its `--quantization bnb-4bit` is nf4, double quantised, computed in float32. Where anything else is asked for,
the server is started by a module of the runner's package, which takes the flags of the server and these.
"""

from collections.abc import Mapping

from llmopt_core.engines.declarations import set_at_load
from llmopt_core.search.configurations import Value

# What starts the server with these options: `python -m LAUNCHER serve MODEL …`.
LAUNCHER = "llmopt_runner.engines.transformers.bnb_4bit_server"
QUANTIZATION = "bnb-4bit"
DOUBLE_QUANT = "bnb_4bit_use_double_quant"
OPTIONS = (
    set_at_load(
        "bnb_4bit_quant_type",
        "text",
        "type of bnb-4bit's weights; the server has no flag for it, and is given it by llmopt",
        default="nf4",
        choices=("nf4", "fp4"),
        changes_answers=True,
    ),
    set_at_load(
        DOUBLE_QUANT,
        "bool",
        "bnb-4bit's scales are quantised too: 4.13 bits a weight in place of 4.5; given by llmopt",
        default=True,
        changes_answers=True,
    ),
    set_at_load(
        "bnb_4bit_compute_dtype",
        "text",
        "type in which bnb-4bit's layers multiply; GPUs are mostly faster in bfloat16; given by llmopt",
        default="float32",
        choices=("float32", "bfloat16", "float16"),
        changes_answers=True,
    ),
)
_DEFAULTS = {option.name: option.default for option in OPTIONS}
NAMES = tuple(_DEFAULTS)


def unflagged(parameters: Mapping[str, Value]) -> tuple[str, ...]:
    """Return which of `parameters` the plain server has no flag for, and would have otherwise."""
    return tuple(name for name in NAMES if parameters.get(name, _DEFAULTS[name]) != _DEFAULTS[name])
