"""A second model of an engine, which guesses tokens ahead: what is said of it is not said of the model.

What no configuration can fix ends a study; a missing draft model is one value of a parameter.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llmopt_core.errors.classes import ErrorClass, Failure
from llmopt_core.errors.remedies import Remedy

# What is fatal where it is said of the model that is served.
_OF_A_MODEL = frozenset(
    {
        ErrorClass.MODEL_NOT_FOUND,
        ErrorClass.MODEL_CORRUPT,
        ErrorClass.ACCESS_DENIED,
        ErrorClass.ENGINE_NOT_INSTALLED,
    }
)

# Of these, what is said while the draft model is loaded is of its files.
_OF_FILES = frozenset({ErrorClass.MODEL_NOT_FOUND, ErrorClass.MODEL_CORRUPT})


@dataclass(frozen=True)
class DraftModel:
    """Which parameter, by plain name, names the draft model, and the `remedy` that does without it.

    `loading` matches what the engine logs once the model is loaded, before it loads the draft model; None: it
    logs nothing of the kind.
    """

    parameter: str
    remedy: Remedy
    loading: re.Pattern[str] | None = None


def of_draft(
    failure: Failure, draft: DraftModel, numbers: Mapping[str, Any], log: str, at: int
) -> Failure | None:
    """Return `failure`, which `log` shows from the character `at` on, as the draft model's; None: it is not.

    `numbers` are the trial's own parameters by plain name.
    """
    name = numbers.get(draft.parameter)
    if failure.error_class not in _OF_A_MODEL or not isinstance(name, str) or not name:
        return None
    if not _is_named(name, log[at:]) and not (failure.error_class in _OF_FILES and _loads(draft, log[:at])):
        return None
    return Failure(
        ErrorClass.INVALID_CONFIGURATION,
        failure.message,
        f"The model that guesses, {draft.parameter} ({name}), cannot be used: correct it, or take it out of"
        " the search space.",
        remedies=(draft.remedy,),
    )


def _loads(draft: DraftModel, log: str) -> bool:
    return draft.loading is not None and draft.loading.search(log) is not None


def _is_named(name: str, text: str) -> bool:
    """Say whether `text` names the model or a file of it, and not one that is only called alike."""
    return re.search(rf"(?<!\w){re.escape(name.rstrip('/'))}(?![\w-]|\.\w)", text) is not None
