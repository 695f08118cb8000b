"""The arguments of `vllm serve` as it says them itself: data that `scripts/declare-vllm` writes.

A new version of vLLM needs that script, and a look at which arguments are new: `parameters` declares those
that change memory, speed or quality, and `left_out` says why the others are none.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmopt_core.engines.declarations import Kind, ParameterDeclaration, set_at_load
from llmopt_core.search.configurations import Value

_DATA: Mapping[str, Any] = json.loads(
    Path(__file__).with_name("serve_arguments.json").read_text(encoding="utf-8")
)
VERSION: str = _DATA["version"]


@dataclass(frozen=True)
class KnownArgument:
    """One argument: its section in vLLM's help, and what is known of its values."""

    section: str
    kind: Kind
    default: Value | None = None
    choices: tuple[str, ...] = ()
    short: tuple[str, ...] = ()


ARGUMENTS: Mapping[str, KnownArgument] = {
    name: KnownArgument(
        known["section"],
        known["kind"],
        known.get("default"),
        tuple(known.get("choices", ())),
        tuple(known.get("short", ())),
    )
    for name, known in _DATA["arguments"].items()
}
# What the parser takes as text, or within an argument that is JSON.
CHOICES: Mapping[str, tuple[str, ...]] = {name: tuple(known) for name, known in _DATA["choices"].items()}


def declared(
    name: str,
    meaning: str,
    *,
    low: float | None = None,
    high: float | None = None,
    without: Sequence[str] = (),
    changes_answers: bool = False,
    tried: bool = False,
) -> ParameterDeclaration:
    """Declare the argument `name` with vLLM's own kind, default and choices, but for those `without`."""
    known = ARGUMENTS[name]
    choices = tuple(each for each in known.choices or CHOICES.get(name, ()) if each not in without)
    return set_at_load(
        name,
        known.kind,
        meaning,
        default=known.default,
        low=low,
        high=high,
        choices=choices or None,
        changes_answers=changes_answers,
        tried=tried,
    )
