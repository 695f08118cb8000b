"""What is wrong with a manifest, said so that a person can mend it."""

from dataclasses import dataclass
from typing import Any

from llmopt_core.errors.classes import LlmoptError

SHOWN_CHARACTERS = 80


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong.

    `path` is dotted, as the user wrote the fields (`spec.search.space.engine[0].int.low`); `value` is what
    stands there (None when the field is missing); `expected` completes "expected …"; `suggestion` says what
    to do, where that is known.
    """

    path: str
    value: Any
    expected: str
    suggestion: str | None = None

    def __str__(self) -> str:
        """Return the fault as one line."""
        shown = "" if self.value is None else f" is {_shown(self.value)};"
        hint = f" ({self.suggestion})" if self.suggestion else ""
        return f"{self.path or 'manifest'}:{shown} expected {self.expected}{hint}"


def _shown(value: Any) -> str:
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 1]}…"


class ManifestInvalid(LlmoptError):
    """A manifest cannot be used as it stands; doing the same again cannot help."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self.faults = faults
        super().__init__("\n".join(str(fault) for fault in faults))
