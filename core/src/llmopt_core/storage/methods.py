"""What a storage must be given so that trials can be claimed: a sampler and a pruner for each study.

The operator and other readers give none, so they load none of what samplers need.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from llmopt_core.search.configurations import Value
from llmopt_core.storage.earlier import EarlierStudy, Learned
from llmopt_core.storage.measured_items import MeasuredItem
from llmopt_core.storage.records import StudyDefinition
from llmopt_core.storage.snapshot import Snapshot, StoredTrial


@dataclass(frozen=True)
class Request:
    """What `runner` asks a sampler for: a configuration with the values `known`.

    With `completes`, `known` is a partly given configuration whose values must hold; else they hold where
    the sampler can choose. `running` are the searched parameters of the engine that the runner has running,
    None where none runs.
    """

    runner: str
    known: Mapping[str, Value]
    completes: bool
    running: Mapping[str, Value] | None = None


@dataclass(frozen=True, eq=False)
class Proposal:
    """What a sampler proposed: parameters by full name, and its notes, which are stored with the trial.

    `learned` says how far it used earlier studies, which is stored with the study.
    """

    parameters: Mapping[str, Value]
    notes: Mapping[str, Any] = field(default_factory=dict)
    learned: tuple[Learned, ...] = ()


class Sampler(ABC):
    """Proposes the configurations of one study to the runners of this process.

    `exclusive`: it is asked while the study is locked, so it must be fast; what it proposes is never stale.
    `ended` says why it proposes nothing more although configurations are left, None while it goes on.
    """

    exclusive = False
    ended: str | None = None

    def learn(self, earlier: Sequence[EarlierStudy]) -> None:  # noqa: B027 - most learn from one study only
        """Take what earlier studies measured; called once, before `prepare`."""

    def prepare(self, runner: str, trials: int) -> None:  # noqa: B027 - most have nothing to prepare
        """Make what `runner` needs, in a study of `trials` trials; raises SamplerUnavailable."""

    @abstractmethod
    def propose(self, snapshot: Snapshot, request: Request) -> Proposal | None:
        """Return a proposal, to be followed by `settle`, or None where no configuration is left."""

    def settle(self, proposal: Proposal, number: int | None) -> None:  # noqa: B027 - most keep nothing
        """Take note that `proposal` became trial `number`, or no trial."""


class Pruning(Protocol):
    """The items of one running trial against those of the trials before it."""

    @property
    def scores(self) -> tuple[tuple[int, float], ...]:
        """The place of each sample and its score, in the order they came."""

    def report(self, place: int, item: MeasuredItem) -> bool:
        """Take one item by its place among all; say whether the trial should stop."""


@dataclass(frozen=True)
class Methods:
    """How trials are chosen and stopped.

    `sampler` makes that of a study. `pruning` makes that of a trial from the trials before it, None where the
    study stops no trial early.
    """

    sampler: Callable[[StudyDefinition], Sampler]
    pruning: Callable[[StudyDefinition, Iterable[StoredTrial]], Pruning | None]
