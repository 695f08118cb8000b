"""`transformers serve` in its modes against what every engine must do, and what is its own."""


from fakes.engine_cases import DAMAGED_FOLDERS, EngineCase, safetensors
from fakes.engine_conformance import *  # noqa: F403 - the whole suite runs over CASES

from llmopt_runner.engines.transformers import Transformers

# float32 is the fastest on CPUs; without a number of blocks the paged cache would take 12 GB.
_PLAIN = {"device": "cpu", "dtype": "float32"}
_BATCHED = {**_PLAIN, "continuous_batching": True, "cb_block_size": 32, "cb_num_blocks": 64}


def _case(name, parameters, **other):
    return EngineCase(
        name,
        Transformers(),
        parameters,
        model=safetensors,
        environment="transformers",
        absent="absent",
        damages=DAMAGED_FOLDERS,
        told_by_command=False,
        **other,
    )


PLAIN = _case("plain", _PLAIN)
# The code that samples is the same whatever the weights are: two of its parameters stand for all.
QUANTISED = tuple(
    _case(
        quantization,
        {"device": "cpu", "quantization": quantization},
        disposable=False,
        proven=("temperature", "top_k"),
    )
    for quantization in ("bnb-4bit", "bnb-8bit")
)
BATCHED = _case(
    "continuous-batching",
    _BATCHED,
    disposable=False,
    proven=("temperature", "seed", "top_k", "top_p", "min_p", "typical_p"),
)
CASES = (PLAIN, *QUANTISED, BATCHED)
