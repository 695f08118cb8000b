"""The values of a row of someone else's data, read as texts that can be sent and stored."""

import ast
import io
import json
import math
import tokenize
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

# A question of a megabyte fits no model's context.
MOST_CHARACTERS = 1 << 20
_MOST_EXACT = 1 << 53


class RowInvalid(ValueError):
    """Why a row is no item; the caller, which knows the row's place, adds it."""


class ColumnMissing(RowInvalid):
    """A row has no column of a name that would do."""


def present(row: Mapping[str, Any], names: Sequence[str], part: str) -> str:
    """Return the column of `row` called one of `names`, in any case; ColumnMissing names the `part`."""
    name = named(row, names)
    if name is None:
        keys = ", ".join(map(shown, _own_names(row)[:8])) or "nothing"
        raise ColumnMissing(f"no {part}: it has {keys}; write one of {', '.join(names)}")
    return name


def named(row: Mapping[str, Any], names: Sequence[str]) -> str | None:
    """Return the first column of `row` with a value that is called one of `names`; None if there is none."""
    for name in names:
        if row.get(name) is not None:
            return next((own for own in row if _usual(own) == name), name)
    folded = {str(key).strip().casefold(): key for key, value in row.items() if value is not None}
    return next((folded[name] for name in names if name in folded), None)


def by_usual_names(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return `row` with what it calls its columns and, after that, with their usual names.

    `Best Answer` is best_answer too; a name of one letter is as it is. Columns without a value are left out.
    """
    own = {name: value for name, value in row.items() if value is not None}
    return own | {_usual(name): value for name, value in own.items() if _usual(name) not in own}


def _usual(name: str) -> str:
    stripped = str(name).strip()
    return stripped.casefold().replace(" ", "_") if len(stripped) > 1 else stripped


def _own_names(row: Mapping[str, Any]) -> list[str]:
    """Return the names of the columns without those that `by_usual_names` added."""
    return list({_usual(name): name for name in reversed(list(row))}.values())[::-1]


def listed(value: Any) -> Any:
    """Return the list or object that a text holds, in JSON or as Python prints it; else `value` itself.

    A list as NumPy prints it has no commas: Python would take its texts for one, so it stays a text.
    """
    if not isinstance(value, str) or value.lstrip()[:1] not in ("[", "{"):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        pass
    try:
        return value if _lacks_commas(value) else ast.literal_eval(value.strip())
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError, tokenize.TokenError):
        return value


def _lacks_commas(text: str) -> bool:
    kinds = [
        each.type
        for each in tokenize.generate_tokens(io.StringIO(text.strip()).readline)
        if each.type not in (tokenize.NL, tokenize.NEWLINE)
    ]
    return any(one == two == tokenize.STRING for one, two in pairwise(kinds))


def text_in(row: Mapping[str, Any], name: str) -> str:
    """Return the column `name` as a text; raises RowInvalid where it holds none."""
    return text_of(name, row.get(name))


def about_in(row: Mapping[str, Any], name: str) -> str:
    """Return the column `name`, which a question is about, as a text; "" where the row has none.

    A list is its texts, one a line; HotpotQA and PubMedQA name theirs. Raises RowInvalid for other things: a
    question without what it is about has another answer.
    """
    value = row.get(name)
    if isinstance(value, str):
        return value if value.strip() else ""
    if not isinstance(value, list | Mapping) or not value:
        return ""
    texts = _passages(value)
    if not texts or not all(isinstance(each, str) for each in texts):
        raise RowInvalid(f"{name} is {shown(value)}: write a text or a list of texts")
    return sound(name, "\n".join(each for each in texts if each.strip()))


def _passages(value: Any) -> list[Any]:
    """Return the texts of passages; what has a title of its own begins with it."""
    if isinstance(value, Mapping):
        texts = value.get("contexts") or value.get("sentences")
        titles = value.get("title")
        if isinstance(titles, list) and isinstance(texts, list) and len(titles) == len(texts):
            return _passages(list(zip(titles, texts, strict=True)))
        return _passages(texts) if isinstance(texts, list) else []
    return [_passage(each) for each in value]


def _passage(value: Any) -> Any:
    match value:
        case [str(title), [*sentences]] if all(isinstance(each, str) for each in sentences):
            return f"{title}: {''.join(sentences)}"
        case _:
            return value


def text_of(name: str, value: Any) -> str:
    """Return `value`, a text or a number called `name`, as a text; raises RowInvalid."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise RowInvalid(f"{name} is {shown(value)}: write a text or a number")
    if isinstance(value, float):
        if not math.isfinite(value):
            raise RowInvalid(f"{name} is {value}: write a text or a number")
        # Tables keep whole numbers as 18.0 where a column has gaps.
        value = int(value) if value.is_integer() and abs(value) < _MOST_EXACT else value
    text = str(value)
    if not text.strip():
        raise RowInvalid(f"{name} is empty: write a text or remove the item")
    return sound(name, text)


def sound(name: str, text: str) -> str:
    """Return `text` as it is; raises RowInvalid where it could be neither sent nor stored."""
    if len(text) > MOST_CHARACTERS:
        raise RowInvalid(f"{name} is longer than {MOST_CHARACTERS:,} characters: no model's context is")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        reason = f"{name} holds half of a character at {error.start + 1} (a lone surrogate)"
        raise RowInvalid(f"{reason}: write the data set again as UTF-8") from error
    if "\0" in text:
        raise RowInvalid(f"{name} holds the character U+0000: remove it")
    return text


def texts_in(row: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Return the column `name`, a list of texts; raises RowInvalid where it is something else."""
    value = row.get(name)
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise RowInvalid(f"{name} is {shown(value)}: write a list of texts")
    return tuple(sound(name, text) for text in value if text.strip())


def shown(value: Any) -> str:
    """Return `value` as a message may show it."""
    try:
        text = repr(value)
    except RecursionError:
        return "nested too deeply"
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004 - enough to recognise it by
