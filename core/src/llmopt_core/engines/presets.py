"""What of an engine is worth searching when a manifest names a purpose instead of a space, as data."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["categorical", "int", "float"]


@dataclass(frozen=True)
class Only:
    """A condition: the parameter, by full name, is one of `values`, or `above` a number."""

    parameter: str
    values: tuple[str, ...] = ()
    above: str | None = None


@dataclass(frozen=True)
class Suggestion:
    """One parameter by plain name, with values as a manifest writes them: `choices`, or `low` to `high`."""

    name: str
    kind: Kind
    choices: tuple[int | str, ...] = ()
    low: int | str = 0
    high: int | str = 0
    step: str | None = None
    log: bool = False
    when: tuple[Only, ...] = ()


def one_of(name: str, *choices: int | str, when: tuple[Only, ...] = ()) -> Suggestion:
    """Suggest each of `choices`."""
    return Suggestion(name, "categorical", choices, when=when)


def steps(name: str, low: str, high: str, step: str, when: tuple[Only, ...] = ()) -> Suggestion:
    """Suggest decimal numbers from `low` to `high`."""
    return Suggestion(name, "float", low=low, high=high, step=step, when=when)


def count(name: str, low: int, high: int, *, log: bool = False) -> Suggestion:
    """Suggest whole numbers from `low` to `high`."""
    return Suggestion(name, "int", low=low, high=high, log=log)


# At temperature 0 nothing that removes unlikely tokens has an effect.
_WHEN_SAMPLED = (Only("sampling.temperature", above="0"),)
TOP_P = steps("top_p", "0.5", "1", "0.05", _WHEN_SAMPLED)
MIN_P = steps("min_p", "0", "0.2", "0.05", _WHEN_SAMPLED)
CAUTIOUS = (steps("temperature", "0", "1.2", "0.1"), TOP_P, MIN_P)
CREATIVE = (steps("temperature", "0.5", "1.5", "0.1"), TOP_P, MIN_P)


@dataclass(frozen=True)
class PresetTable:
    """What of an engine is worth searching; what it does not declare is left out.

    `server` is how it works, `cautious` how its answers are sampled where they shall be right, `creative`
    where they shall differ.
    """

    server: tuple[Suggestion, ...] = ()
    cautious: tuple[Suggestion, ...] = CAUTIOUS
    creative: tuple[Suggestion, ...] = CREATIVE


SAMPLING_ONLY = PresetTable()
