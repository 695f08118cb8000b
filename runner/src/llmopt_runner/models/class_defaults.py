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
def class_defaults(model_type: str) -> Mapping[str, int | bool]:
    """Return the sizes of the class for `model_type`, by their names here; {}: it is not known."""
    return MappingProxyType(_table().get(model_type, {}))


@cache
def _table() -> dict[str, dict[str, int | bool]]:
    text = files("llmopt_runner.models").joinpath(_DATA).read_text(encoding="utf-8")
    table: dict[str, dict[str, int | bool]] = json.loads(text)
    return table
