"""The messages that configurations were measured with, for those who deploy them."""

from collections.abc import Iterable, Mapping, Sequence

from pydantic import TypeAdapter, ValidationError

from llmopt_core.storage.adapters import first_fault
from llmopt_core.storage.keys import MESSAGES_FACT
from llmopt_core.storage.records import StudyDefinition, TrialRecord

Messages = Sequence[Mapping[str, str]]
_MESSAGES = first_fault(TypeAdapter(list[dict[str, str]]))


def prompts_of(definition: StudyDefinition, trials: Iterable[TrialRecord]) -> Mapping[int | str, Messages]:
    """Return the messages of requests, with `{question}` for what is asked, by trial or candidate.

    A configuration that asks the question alone has none, nor has one whose messages are too long to be kept.
    """
    found: dict[int | str, Messages] = {}
    names: dict[int | None, str] = {n: each.name for n, each in enumerate(definition.candidates)}
    for trial in trials:
        facts = trial.outcome.facts if trial.outcome else {}
        key = names.get(trial.candidate, trial.number)
        if key not in found and (messages := _read(facts.get(MESSAGES_FACT))):
            found[key] = messages
    return found


def _read(messages: object) -> Messages:
    """Return `messages`, none where they are not what a runner writes."""
    try:
        return _MESSAGES.validate_python(messages)
    except ValidationError:
        return ()
