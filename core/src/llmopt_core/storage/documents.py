"""What is stored as JSON in attributes, and back: one document each, never a pickle."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from numbers import Integral, Real
from typing import Annotated, Any

from pydantic import AfterValidator, TypeAdapter, ValidationError
from pydantic_core import from_json

from llmopt_core.search.configurations import Value
from llmopt_core.search.spaces import (
    ChoiceDimension,
    Condition,
    Dimension,
    FloatDimension,
    IntDimension,
    SearchSpace,
    SpaceParameter,
)
from llmopt_core.storage.adapters import Document, first_fault
from llmopt_core.storage.errors import StudyUnreadable
from llmopt_core.storage.records import (
    ComparisonDefinition,
    ConfirmPlan,
    ConstraintDefinition,
    Count,
    ObjectiveDefinition,
    Outcome,
    Phase,
    RepeatNumber,
    RunnerRecord,
    Serving,
    StudyDefinition,
)


@dataclass(frozen=True)
class Assignment:
    """What a trial was created for, and who holds it: written when it waits and when it is claimed.

    A `complete` one is run with exactly `parameters`; otherwise they are fixed and the sampler fills in the
    rest. `session` distinguishes two processes of the same runner name, `token` two claims of one process.
    `attempt` counts all returns, `losses` those by a runner that died. Repeats are run in the order of their
    `turn`, those of one `start` on one engine start: see `repeats.turns`. `sampler` is what the sampler wants
    to find again in this trial. `repaired_from` is the trial whose configuration was refused, and is tried
    once more with what it was refused for changed.
    """

    phase: Phase
    parameters: Mapping[str, Value] = field(default_factory=dict)
    complete: bool = True
    attempt: Count = 0
    losses: Count = 0
    candidate: Count | None = None
    repeat: RepeatNumber | None = None
    turn: Count | None = None
    start: Count | None = None
    runner: str | None = None
    session: str | None = None
    token: str | None = None
    sampler: Mapping[str, Any] = field(default_factory=dict)
    repaired_from: Count | None = None


@dataclass(frozen=True)
class Ending:
    """How a trial ended; `scores` are (sample index, score) in the order they were reported."""

    outcome: Outcome
    scores: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True)
class Heartbeat:
    """What a runner last said, and which of its processes said it."""

    session: str
    runner: RunnerRecord


@dataclass(frozen=True)
class EndReason:
    """Why a study was ended, and whether that is a failure."""

    reason: str
    message: str
    failed: bool = False


def _fitting(plan: ConfirmPlan) -> ConfirmPlan:
    """Return `plan`; raises ValueError where it names candidates that it has not."""
    count = len(plan.candidates)
    if plan.reference >= count or len(plan.source_trials) != count or len(plan.engines) not in {0, count}:
        raise ValueError("its candidates, their trials and their engines do not fit together")
    return plan


ASSIGNMENTS = first_fault(TypeAdapter(Assignment))
ENDINGS = first_fault(TypeAdapter(Ending))
HEARTBEATS = first_fault(TypeAdapter(Heartbeat))
PLANS: TypeAdapter[ConfirmPlan] = first_fault(TypeAdapter(Annotated[ConfirmPlan, AfterValidator(_fitting)]))
END_REASONS = first_fault(TypeAdapter(EndReason))
_SERVINGS: TypeAdapter[Serving | None] = first_fault(TypeAdapter(Serving | None))
_COMPARISONS: TypeAdapter[ComparisonDefinition | None] = first_fault(TypeAdapter(ComparisonDefinition | None))
_COUNTS: TypeAdapter[int] = TypeAdapter(Count)
# Of the parameters, choices, objectives and so on of one definition; the API allows fewer.
_MOST_PARTS = 256
_DIMENSIONS: Mapping[str, type[Dimension]] = {
    "int": IntDimension,
    "float": FloatDimension,
    "choice": ChoiceDimension,
}
_LATER = frozenset({"relative_to", "output_tokens"})
_KINDS = {kind: name for name, kind in _DIMENSIONS.items()}
# An escaped backslash or a pair of surrogates, which stay; or half a pair, which no JSON reader accepts. From
# the left, so that a backslash is never taken for the start of what follows it.
_ESCAPES = re.compile(
    r"\\(?:\\|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2}))"
)
_SHOWN = 80  # characters
# What the parts of an ordinary document have, names included; and the least that a document counts as.
_PART_BYTES, _LEAST_BYTES = 20, 512
_SMALL_CHARACTERS = 64 * 1024
# Of a text that others wrote, as much as a message may need.
_MOST_READ = 1_000
# What a document that is not ours makes the code that reads it raise.
MALFORMED = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RecursionError)


def dump(document: Any) -> str:
    """Return `document`, a dataclass of plain data, as JSON; ValueError or TypeError where it is not.

    Text that a server sent may hold half of a surrogate pair: it becomes U+FFFD. All that is not ASCII is
    escaped, so a NUL never meets Postgres, which refuses it.
    """
    return readable(json.dumps(document, default=_plain, allow_nan=False, separators=(",", ":")))


def load(adapter: TypeAdapter[Document], text: str, name: str) -> Document:
    """Return what `dump` made `text` from; raises StudyUnreadable, which calls it `name`."""
    try:
        return _checked(adapter, readable(text))
    except MALFORMED as error:
        raise StudyUnreadable(f"{name} cannot be read: {described(error)}") from None


def unstorable(part: Any, place: str = "") -> Iterator[str]:
    """Yield what of a document `dump` refuses, each with its place: `metrics.score is nan`."""
    if is_dataclass(part):
        part = _plain(part)
    if isinstance(part, Mapping | list | tuple):
        for name, inner in part.items() if isinstance(part, Mapping) else enumerate(part):
            yield from unstorable(inner, f"{place}.{name}" if place else str(name))
    elif not (part is None or isinstance(part, str | Integral)) and not is_finite(part):
        yield f"{place} is {repr(part)[:_SHOWN]}"


def is_finite(part: Any) -> bool:
    """Say whether `part`, which a plug-in may have made, is a number that JSON holds."""
    try:
        return isinstance(part, Real) and math.isfinite(part)
    except OverflowError:
        return False


def _checked(adapter: TypeAdapter[Document], text: str) -> Document:
    """Return the document in `text`; raises ValidationError or ValueError.

    Each fault holds a copy of JSON that was not read into objects, so a large one is read first.
    """
    if len(text) <= _SMALL_CHARACTERS:
        return adapter.validate_json(text)
    return adapter.validate_python(from_json(text))


def kept_size(*texts: str) -> int:
    """Return how many bytes the documents `texts` count as together where they are kept in memory.

    As objects they take three to six times as much, also where they are made of very short or very few parts:
    those count as more than their characters.
    """
    parts = sum(text.count(",") + text.count("[") + text.count("{") for text in texts)
    return max(sum(map(len, texts)), _PART_BYTES * parts, _LEAST_BYTES)


def readable(text: str) -> str:
    """Return JSON `text` with U+FFFD for each escape that stands for half of a character."""
    if "\\u" not in text:
        return text
    return _ESCAPES.sub(lambda escape: "\\ufffd" if escape[1] else escape[0], text)


def described(error: Exception) -> str:
    """Return what is wrong with a document in one short line."""
    text = _fault(error) if isinstance(error, ValidationError) else str(error)
    lines = text[:_MOST_READ].strip().splitlines()
    return f"{type(error).__name__}: {' '.join(line.strip() for line in lines[:3])[:200]}"


def _fault(error: ValidationError) -> str:
    """Return the first of the faults, with the place of it in the document."""
    fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part)[:_MOST_READ] for part in fault["loc"])
    return f"{place}: {fault['msg']}" if place else fault["msg"]


def _plain(part: Any) -> Any:
    if is_dataclass(part):
        return {each.name: getattr(part, each.name) for each in fields(part)}
    if isinstance(part, Mapping):
        return dict(part)
    if isinstance(part, Real):  # such as numpy's integers
        return float(part) if not isinstance(part, Integral) else int(part)
    raise TypeError(f"{part!r} cannot be stored: only numbers, text, lists and mappings can")


def dump_definition(definition: StudyDefinition) -> str:
    """Return `definition` as JSON that `load_definition` restores whole."""
    space = [
        {
            "name": each.name,
            "kind": _KINDS[type(each.dimension)],
            "dimension": each.dimension,
            "when": each.when,
        }
        for each in definition.space.parameters
    ]
    constraints = [_without_later(each) for each in definition.constraints]
    return dump({**_without_later(definition), "space": space, "constraints": constraints})


def _without_later(part: Any) -> dict[str, Any]:
    """Return the fields of `part`, those that came after the first release only where they are set.

    So a runner of an earlier release reads every study that does not use them.
    """
    document: dict[str, Any] = _plain(part)
    document.pop("baseline", None)
    return {name: value for name, value in document.items() if name not in _LATER or value is not None}


def load_definition(text: str) -> StudyDefinition:
    """Return the definition that `dump_definition` made `text` from; raises StudyUnreadable."""
    try:
        return _definition(json.loads(readable(text)))
    except MALFORMED as error:
        raise StudyUnreadable(f"the study's definition cannot be read: {described(error)}") from None


def _definition(document: dict[str, Any]) -> StudyDefinition:
    return StudyDefinition(
        **{
            **document,
            "space": SearchSpace(tuple(_load_parameter(part) for part in _parts(document["space"]))),
            "objectives": tuple(ObjectiveDefinition(**part) for part in _parts(document["objectives"])),
            "constraints": tuple(ConstraintDefinition(**part) for part in _parts(document["constraints"])),
            "seed": _COUNTS.validate_python(document.get("seed", 0)),
            "enqueue": _parts(document["enqueue"]),
            "serving": _SERVINGS.validate_python(document.get("serving")),
            "comparison": _COMPARISONS.validate_python(document.get("comparison")),
        }
    )


def _parts(given: Any) -> tuple[Any, ...]:
    """Return the list `given` as a tuple; raises ValueError where it is longer than llmopt writes any."""
    if len(given) > _MOST_PARTS:
        raise ValueError(f"a list has {len(given)} parts, of which at most {_MOST_PARTS} are read")
    return tuple(given)


def _load_parameter(document: dict[str, Any]) -> SpaceParameter:
    dimension = dict(document["dimension"])
    if "choices" in dimension:
        dimension["choices"] = _parts(dimension["choices"])
    return SpaceParameter(
        name=document["name"],
        dimension=_DIMENSIONS[document["kind"]](**dimension),
        when=tuple(_load_condition(part) for part in _parts(document["when"])),
    )


def _load_condition(document: dict[str, Any]) -> Condition:
    among = document["among"]
    return Condition(**{**document, "among": None if among is None else _parts(among)})
