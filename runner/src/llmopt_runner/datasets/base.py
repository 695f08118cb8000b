"""What a data set is to the rest: items with one right answer, split once into disjoint parts."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from llmopt_core.errors.classes import ErrorClass, LlmoptError

# As many shots as a manifest's `prompt.fewShot` may ask for.
MAX_SHOTS = 32


class DatasetInvalid(LlmoptError):
    """A data set cannot be used; the message names the file and line, and what to do."""

    error_class = ErrorClass.DATASET_INVALID


class TooFewExamples(DatasetInvalid):
    """A configuration asks for more examples than there are: another one may not."""

    error_class = ErrorClass.INVALID_CONFIGURATION


@dataclass(frozen=True)
class Traced:
    """What a trace keeps of one request: when it arrived, in seconds, and how long it was.

    `prompt_tokens` is None where the prompt itself is there. `blocks` name the parts of the prompt that other
    requests may share, in order, each of `block_tokens`.
    """

    arrival_seconds: float
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    blocks: tuple[str, ...] = ()
    block_tokens: int = 0


@dataclass(frozen=True)
class LaterTurn:
    """What a user says next in a conversation. `answer` and `solution` are as in `Item`."""

    question: str
    answer: str = ""
    solution: str = ""


@dataclass(frozen=True)
class Item:
    """One question with its expected answer. `kind` says what sort of question it is.

    `choices` are the texts to choose from, in the order they are shown; then `answer` is one of them.
    `alternatives` are other answers that are as right as `answer`. `solution` is how the answer is reached:
    an example before a question shows it. An `answer` that is empty is not known: only a judge, or a service
    of one's own, can score the item. `traced` is what a trace keeps of it beside its text. `later` are the
    turns after the question, where the item is a conversation.
    """

    id: str
    question: str
    answer: str
    kind: str
    choices: tuple[str, ...] = ()
    alternatives: tuple[str, ...] = ()
    solution: str = ""
    traced: Traced | None = None
    later: tuple[LaterTurn, ...] = ()


class Split(NamedTuple):
    """Three disjoint parts: what the search sees, what only the confirmation sees, few-shot examples."""

    search: tuple[Item, ...]
    held_out: tuple[Item, ...]
    shots: tuple[Item, ...]

    def first_shots(self, count: int) -> tuple[Item, ...]:
        """Return `count` few-shot examples, the same first ones each time; TooFewExamples if too few.

        An item whose answer is not known is no example.
        """
        shots = tuple(item for item in self.shots if item.answer)
        if count > len(shots):
            raise TooFewExamples(
                f"prompt.fewShot asks for {count} examples, but beside {len(self.search)} search and "
                f"{len(self.held_out)} held-out items the data set has {len(shots)} left: "
                "add items, or lower workload.dataset.samples or prompt.fewShot"
            )
        return shots[:count]


class DatasetSource(ABC):
    """One data set: its name, how to answer (`instruction`), and what scores it if nothing else is said.

    `conversations` says whether its items are conversations; None: only they themselves show it. `summary` is
    what `llmopt list` says of it.
    """

    name: str
    summary: str = ""
    instruction: str | None = None
    evaluator: str = "exact"
    conversations: bool | None = None

    def evaluator_of(self, turns: Sequence[Item]) -> str:
        """Return what scores the `turns` of conversations if nothing else is said."""
        del turns
        return self.evaluator

    @abstractmethod
    def items(self, count: int, seed: int) -> tuple[Item, ...]:
        """Return `count` distinct items in the order that `seed` gives; DatasetInvalid if there are fewer.

        Fewer items of the same seed are the first ones of more.
        """

    @property
    @abstractmethod
    def size(self) -> int | None:
        """How many items there are; None when there are more than any manifest can ask for."""

    def split(self, count_search: int, count_held_out: int, seed: int) -> Split:
        """Return disjoint search, held-out and few-shot items, decided by `seed` alone.

        There are up to `MAX_SHOTS` few-shot items, as many as the data set has left. Raises DatasetInvalid.
        """
        needed = count_search + count_held_out
        if self.size is not None and self.size < needed:
            raise DatasetInvalid(self._too_few(count_search, count_held_out))
        left = MAX_SHOTS if self.size is None else min(MAX_SHOTS, self.size - needed)
        items = self.items(needed + left, seed)
        return Split(items[:count_search], items[count_search:needed], items[needed:])

    def _too_few(self, count_search: int, count_held_out: int) -> str:
        missing = count_search + count_held_out - (self.size or 0)
        return (
            f"{self.name} has {self.size} items, but {count_search} search items and {count_held_out} "
            f"held-out items are needed, none of them twice: add {missing} items "
            "or lower workload.dataset.samples"
        )
