"""What makes sampling parameters take effect in `transformers serve`: the body field `generation_config`.

At top level its server takes temperature and top_p only, and both do nothing while the model's own
generation_config.json leaves sampling off, as most do.
"""

import json
from collections.abc import Mapping
from typing import Any

from llmopt_core.engines.transformers.rules import WARPERS
from llmopt_core.search.configurations import Value

_OWN_FIELDS = ("seed",)


def request_fields(sampling: Mapping[str, Value]) -> dict[str, Any]:
    """Return the body fields for `sampling`; where nothing is said the model's own configuration decides."""
    fields: dict[str, Any] = {name: sampling[name] for name in _OWN_FIELDS if name in sampling}
    if generation := generation_config(sampling):
        fields["generation_config"] = json.dumps(generation)
    return fields


def generation_config(sampling: Mapping[str, Value]) -> dict[str, Value]:
    """Return `sampling` in the words of `GenerationConfig`.

    Temperature 0 is greedy; a temperature above it, or anything that chooses among the likely tokens,
    switches sampling on.
    """
    fields = {name: value for name, value in sampling.items() if name not in _OWN_FIELDS}
    if fields.get("temperature") == 0:
        idle = ("temperature", *WARPERS)
        return {"do_sample": False} | {name: value for name, value in fields.items() if name not in idle}
    if not fields.keys().isdisjoint(("temperature", *WARPERS)):
        return {"do_sample": True} | fields
    return fields
