"""What a study keeps of earlier studies: their measurements, copied once, and how far they helped.

A copy, so that every runner of the study learns from the same, whatever becomes of the others.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import AllowInfNan, Field, TypeAdapter

from llmopt_core.search.configurations import Value
from llmopt_core.storage.adapters import first_fault

# Of each earlier study so many trials are kept, and of so many studies: the time that models of them take
# stays bounded, and so does the attribute.
MOST_STUDIES = 5
MOST_TRIALS = 100
# The longest name and namespace that Kubernetes accepts, and the slash.
_MOST_CHARACTERS = 317
_MOST_ENTRIES = 64
_Name = Annotated[str, Field(max_length=_MOST_CHARACTERS, pattern=r"^[A-Za-z0-9._/-]*$")]
# Beyond this, sums of squares would not be numbers any more.
_MOST = 1e15
_Number = Annotated[float, AllowInfNan(allow_inf_nan=False), Field(ge=-_MOST, le=_MOST)]


@dataclass(frozen=True)
class EarlierTrial:
    """One measured configuration: parameters of the new study's space by full name, and its metrics."""

    parameters: Annotated[Mapping[str, Value], Field(max_length=_MOST_ENTRIES)]
    metrics: Annotated[Mapping[str, _Number], Field(max_length=_MOST_ENTRIES)]


@dataclass(frozen=True)
class EarlierStudy:
    """The measured trials of one earlier study; `resource` is `namespace/name` of what it was made for."""

    resource: _Name
    trials: Annotated[tuple[EarlierTrial, ...], Field(max_length=MOST_TRIALS)]


@dataclass(frozen=True)
class Learned:
    """How far an earlier study is used.

    `trials` of it were there to learn from. `weight` says how well it predicts what is measured here, from 0
    (no better than chance: it is not used) to 1; None while nothing can be said.
    """

    resource: _Name
    trials: Annotated[int, Field(ge=0)]
    weight: Annotated[float, Field(ge=0.0, le=1.0)] | None


EARLIER: TypeAdapter[tuple[EarlierStudy, ...]] = first_fault(
    TypeAdapter(Annotated[tuple[EarlierStudy, ...], Field(max_length=MOST_STUDIES)])
)
LEARNED: TypeAdapter[tuple[Learned, ...]] = first_fault(
    TypeAdapter(Annotated[tuple[Learned, ...], Field(max_length=MOST_STUDIES)])
)
