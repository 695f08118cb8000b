"""What an engine can be told: its parameters as data, so that a manifest is checked without the engine."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from llmopt_core.search.configurations import Configuration, Value


class When(StrEnum):
    """When a parameter takes effect, which decides what changing it costs."""

    LOAD = "load"  # a new server
    REQUEST = "request"  # the next request


@dataclass(frozen=True)
class ParameterDeclaration:
    """One parameter of an engine.

    `group` is `engine` for the server's settings, `sampling` for request fields. `default` is what the
    engine does when it is not told (None: decided by the model or the machine at run time). `low`, `high`
    bound numbers; `choices` bounds text. `neutral` is the sampling value that switches the parameter off.
    """

    name: str
    group: Literal["engine", "sampling"]
    kind: Literal["int", "float", "bool", "text"]
    when: When
    default: Value | None
    meaning: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] | None = None

    def parse(self, text: int | str) -> Value:
        """Return the value that `text` from a manifest stands for; ValueError says what was expected."""
        raise NotImplementedError  # written with the declarations


@dataclass(frozen=True)
class EngineDeclaration:
    """One engine: parameters by full name, and rules that span several.

    `canonical` maps a complete configuration to the one that all with the same behaviour share (what has no
    effect is dropped, what the engine clamps is clamped). `conflicts` returns one sentence per combination
    the engine would refuse.
    """

    name: str
    summary: str
    needs_model_file: bool
    parameters: Mapping[str, ParameterDeclaration]
    canonical: Callable[[Configuration], Configuration]
    conflicts: Callable[[Configuration], tuple[str, ...]]
