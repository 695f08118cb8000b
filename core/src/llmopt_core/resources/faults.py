"""What is wrong with a manifest, said so that a person can fix it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from llmopt_core.errors.classes import LlmoptError

SHOWN_CHARACTERS = 80
SHOWN_NAMES = 24
_NEAR = 0.65  # a lower share of equal letters finds names that nobody meant
_SHORTEST_BEGINNING = 3


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong.

    `path` is dotted, as the user wrote the fields (`spec.search.space.engine[0].int.low`); `value` is what
    stands there (None when the field is missing); `expected` completes "expected …"; `suggestion` says what
    to do, where that is known. `problem` is said in place of value and expectation, where it is clearer.
    """

    path: str
    value: Any
    expected: str
    suggestion: str | None = None
    problem: str = ""

    def __str__(self) -> str:
        """Return the fault as one line."""
        shown = "" if self.valueless else f" {_shown(self.value)}:"
        return f"{self.path or 'manifest'}:{shown} {self.said}"

    @property
    def valueless(self) -> bool:
        """Whether it is said without the value: there is none, or `problem` says it."""
        return self.value is None or bool(self.problem)

    @property
    def said(self) -> str:
        """What is wrong and what to do, without where and what stands there."""
        hint = f" ({self.suggestion})" if self.suggestion else ""
        return f"{self.problem or f'expected {self.expected}'}{hint}"


def _shown(value: Any) -> str:
    try:
        text = f'"{value}"' if isinstance(value, str) else _as_yaml(value)
    except ValueError:  # Python writes no whole number of more than 4,300 digits
        return "a number of too many digits"
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 1]}…"


def _as_yaml(value: Any) -> str:
    """Return `value` as a manifest writes it, where that differs from Python."""
    return str(value).lower() if isinstance(value, bool) else str(value)


class ManifestInvalid(LlmoptError):
    """A manifest cannot be used as it stands; doing the same again cannot help."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self.faults = faults
        super().__init__("\n".join(str(fault) for fault in faults))


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Return a suggestion: the known name nearest to `name`, else all of them."""
    names = tuple(known)
    return nearest_name(name, names) or there_are(names)


def nearest_name(name: object, known: Iterable[str]) -> str | None:
    """Return a suggestion: the known name nearest to `name`; None where none is near."""
    near = nearest(str(name), known)
    return f"did you mean {near}?" if near else None


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name nearest to `name`, whatever the case, or the only one that `name` begins."""
    by_lower = {each.lower(): each for each in known}
    word = name.lower()
    near = get_close_matches(word, by_lower, n=1, cutoff=_NEAR)
    if not near and len(word) >= _SHORTEST_BEGINNING:
        near = [each for each in by_lower if each.startswith(word)]
    return by_lower[near[0]] if len(near) == 1 else None


def there_are(names: Sequence[str]) -> str:
    """Return the suggestion to choose one of `names`."""
    shown = ", ".join(names[:SHOWN_NAMES])
    return f"there are {shown}{', …' if len(names) > SHOWN_NAMES else ''}" if names else "there are none"


def dotted(steps: Iterable[str | int]) -> str:
    """Return a path as a person writes it: `a.b[0].c`."""
    path = ""
    for step in steps:
        path += f"[{step}]" if isinstance(step, int) else f".{step}"
    return path.removeprefix(".")


def joined(path: str, below: str | None) -> str:
    """Return the path of what lies at `below` under `path`."""
    if not below or not path:
        return path or below or ""
    return f"{path}{below}" if below.startswith("[") else f"{path}.{below}"
