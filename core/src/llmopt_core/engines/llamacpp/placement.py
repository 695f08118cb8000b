"""Where llama.cpp puts tensors, and what of it has no effect where there is no GPU (build b11549)."""

import re
from collections.abc import Iterator, Mapping

from llmopt_core.search.configurations import Value

_SPLIT, _SHARES, _LAYERS = "engine.split_mode", "engine.tensor_split", "engine.n_gpu_layers"
_MAIN = "engine.main_gpu"
_ON_GPUS = (_SPLIT, _SHARES, _MAIN, "engine.kv_offload", "engine.n_cpu_moe")
_PROPORTIONS = re.compile(r"^\d+(?:\.\d+)?(?:,\d+(?:\.\d+)?){0,15}$")
_OVERRIDE = re.compile(r"^[^=,]+=[^=,]+(?:,[^=,]+=[^=,]+)*$")


def idle_placement(values: Mapping[str, Value]) -> Iterator[str]:
    """Yield the parameters without effect, by full name."""
    if values[_LAYERS] == 0:
        yield from _ON_GPUS
        return
    if values[_SPLIT] == "none":
        yield _SHARES
    if values[_SPLIT] in {"layer", "tensor"}:
        yield _MAIN


def placement_conflicts(values: Mapping[str, Value]) -> Iterator[str]:
    """Yield one sentence for each value that llama.cpp could not read."""
    shares = values.get(_SHARES)
    if shares is not None and not _PROPORTIONS.match(str(shares)):
        yield f'{_SHARES} {shares!r} must be numbers with commas between them, as in "3,1"'
    override = values.get("engine.override_tensor")
    if override is not None and not _OVERRIDE.match(str(override)):
        yield f"engine.override_tensor {override!r} must be PATTERN=BUFFER, as in \\.ffn_.*_exps\\.=CPU"
