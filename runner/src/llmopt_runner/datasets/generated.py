"""Data sets whose items are computed from templates and a seed, each with its answer."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from llmopt_runner.datasets.base import DatasetInvalid, DatasetSource, Item, LaterTurn
from llmopt_runner.datasets.draws import Draw

# A kind that repeats itself this often in a row has no new items left.
_ATTEMPTS = 200


@dataclass(frozen=True)
class Problem:
    """One question with its computed answer, other answers that are as right, and the turns that follow."""

    question: str
    answer: str
    choices: tuple[str, ...] = ()
    alternatives: tuple[str, ...] = ()
    later: tuple[LaterTurn, ...] = ()


@dataclass(frozen=True)
class Kind:
    """One sort of problem: how it is made, and how many of it come for each one of weight 1."""

    name: str
    make: Callable[[Draw], Problem]
    weight: int = 1


class GeneratedDataset(DatasetSource):
    """Items of several kinds, taken in turns, so that every part of a split has about the same mix."""

    def __init__(
        self,
        name: str,
        kinds: Sequence[Kind],
        *,
        instruction: str | None,
        evaluator: str,
        conversations: bool = False,
        summary: str = "",
    ) -> None:
        self.name = name
        self.summary = summary
        self.conversations = conversations
        self.instruction = instruction
        self.evaluator = evaluator
        self._kinds = tuple(kinds)

    @property
    def size(self) -> int | None:
        """None: there are more items than a manifest can ask for."""
        return None

    def items(self, count: int, seed: int) -> tuple[Item, ...]:
        """Return the first `count` items of `seed`."""
        streams = self._turns(seed)
        seen: set[str] = set()
        found: list[Item] = []
        while streams and len(found) < count:
            streams = [stream for stream in streams if self._take(stream, seen, found)]
        if len(found) < count:
            raise DatasetInvalid(
                f"{self.name} can make {len(found)} distinct items, not {count}: "
                "lower workload.dataset.samples"
            )
        return tuple(found[:count])

    def _turns(self, seed: int) -> list["_Stream"]:
        """Return one stream for each kind, each as often as its weight, spread out."""
        streams = [_Stream(self.name, kind, seed) for kind in self._kinds]
        rounds = max(kind.weight for kind in self._kinds)
        return [stream for turn in range(rounds) for stream in streams if stream.kind.weight > turn]

    def _take(self, stream: "_Stream", seen: set[str], found: list[Item]) -> bool:
        for problem in stream.attempts():
            if problem.question not in seen:
                seen.add(problem.question)
                found.append(_item(self.name, stream.kind.name, problem))
                return True
        return False


class _Stream:
    """The problems of one kind in the order of the seed."""

    def __init__(self, dataset: str, kind: Kind, seed: int) -> None:
        self.kind = kind
        self._draw = Draw(f"{dataset}/{kind.name}/{seed}")

    def attempts(self) -> Iterator[Problem]:
        return (self.kind.make(self._draw) for _ in range(_ATTEMPTS))


def _item(dataset: str, kind: str, problem: Problem) -> Item:
    digest = hashlib.sha256(problem.question.encode()).hexdigest()[:12]
    return Item(
        f"{dataset}-{digest}",
        problem.question,
        problem.answer,
        kind,
        problem.choices,
        problem.alternatives,
        later=problem.later,
    )
