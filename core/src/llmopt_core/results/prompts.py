"""The messages that configurations were measured with, for people to copy."""

import json
from collections.abc import Iterable, Mapping

from pydantic import TypeAdapter, ValidationError

from llmopt_core.storage.keys import MESSAGES_FACT
from llmopt_core.storage.records import StudyDefinition, TrialRecord

_MESSAGES = TypeAdapter(list[dict[str, str]])


def prompts_of(definition: StudyDefinition, trials: Iterable[TrialRecord]) -> Mapping[int | str, str]:
    """Return messages as JSON, with `{question}` for what is asked, by trial; of a benchmark by candidate.

    A configuration that asks the question alone has none, nor has one whose messages are too long to be kept.
    """
    found: dict[int | str, str] = {}
    names: dict[int | None, str] = {n: each.name for n, each in enumerate(definition.candidates)}
    for trial in trials:
        facts = trial.outcome.facts if trial.outcome else {}
        key = names.get(trial.candidate, trial.number)
        if key not in found and (text := _text(facts.get(MESSAGES_FACT))):
            found[key] = text
    return found


def _text(messages: object) -> str:
    """Return `messages` as JSON; empty where they are none, or not what a runner writes."""
    try:
        read = _MESSAGES.validate_python(messages)
    except ValidationError:
        return ""
    return json.dumps(read, indent=2, ensure_ascii=False)
