"""What the configuration classes of transformers have where a config.json does not say it.

The data are read from transformers itself by `scripts/read-model-defaults`, a test compares the two. What a
class derives from other sizes is not among them.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

_DATA = "class_defaults.json"


@cache
def class_defaults(model_type: str) -> Mapping[str, int | bool | str]:
    """Return what the class for `model_type` has, by the names here; {}: it is not known.

    Sizes are numbers. `layer_types` are names with commas between them, that the layers repeat from the first
    on, or, as `layer_types_from_end`, from the last one back; `last_layer_type` is the last layer's own.
    """
    return MappingProxyType(_table().get(model_type, {}))


@cache
def _table() -> dict[str, dict[str, int | bool | str]]:
    text = files("llmopt_runner.models").joinpath(_DATA).read_text(encoding="utf-8")
    table: dict[str, dict[str, int | bool | str]] = json.loads(text)
    return table
