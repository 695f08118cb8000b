"""How an item becomes the messages of a chat request."""

import re
from collections.abc import Sequence

from llmopt_core.errors.classes import ErrorClass, LlmoptError
from llmopt_runner.datasets.base import Item

_FIELD = re.compile(r"\{(question|choices|instruction)\}")
_DEFAULT_TEMPLATE = "{question}\n{instruction}"


class TemplateInvalid(LlmoptError):
    """A prompt template cannot hold an item."""

    error_class = ErrorClass.INVALID_CONFIGURATION


def build_messages(
    item: Item,
    *,
    system: str | None = None,
    template: str | None = None,
    shots: Sequence[Item] = (),
    instruction: str | None = None,
) -> tuple[dict[str, str], ...]:
    """Return chat messages: the system text, each shot as a user and an assistant turn, the item.

    `template` may hold `{question}`, `{choices}` and `{instruction}`; all other braces stay as they are.
    Choices that it does not place follow the question. Without a template, question and instruction are
    lines of their own; a template without `{instruction}` drops the data set's instruction. Raises
    TemplateInvalid when `{question}` is missing.
    """
    shape = _shape(template)
    asked = {"role": "user", "content": _render(shape, item, instruction)}
    return (*_before(shape, system, shots, instruction), asked)


def messages_of_any(
    *,
    system: str | None = None,
    template: str | None = None,
    shots: Sequence[Item] = (),
    instruction: str | None = None,
) -> tuple[dict[str, str], ...]:
    """Return the messages of `build_messages` with `{question}`, and `{choices}`, in place of an item's."""
    shape = _shape(template)
    asked = _FIELD.sub(lambda field: (instruction or "") if field[1] == "instruction" else field[0], shape)
    return (*_before(shape, system, shots, instruction), {"role": "user", "content": asked.strip()})


def _shape(template: str | None) -> str:
    shape = _DEFAULT_TEMPLATE if template is None else template
    check_template(shape)
    return shape


def _before(
    shape: str, system: str | None, shots: Sequence[Item], instruction: str | None
) -> list[dict[str, str]]:
    """Return the messages before the item's."""
    turns = [{"role": "system", "content": system}] if system else []
    for shot in shots:
        turns.append({"role": "user", "content": _render(shape, shot, instruction)})
        turns.append({"role": "assistant", "content": shot.solution or shot.answer})
    return turns


def check_template(template: str) -> None:
    """Raise TemplateInvalid when `template` has no place for the question."""
    if "{question}" not in template:
        raise TemplateInvalid(
            f"the prompt template {template[:80]!r} has no {{question}}: every item would be asked the same; "
            "write {question} where the item's question belongs"
        )


def question_text(item: Item) -> str:
    """Return the question of an item with its choices, numbered as a prompt shows them."""
    return "\n".join((item.question, *_numbered(item)))


def _numbered(item: Item) -> list[str]:
    return [f"{number}. {choice}" for number, choice in enumerate(item.choices, start=1)]


def _render(template: str, item: Item, instruction: str | None) -> str:
    choices = "\n".join(_numbered(item))
    question = item.question
    if choices and "{choices}" not in template:
        question = f"{question}\n{choices}"
    values = {"question": question, "choices": choices, "instruction": instruction or ""}
    # One pass: braces inside a question are not taken for fields.
    return _FIELD.sub(lambda field: values[field[1]], template).strip()
