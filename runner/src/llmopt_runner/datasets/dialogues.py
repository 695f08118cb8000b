"""The turns of an item that is a conversation, each as an item of its own. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean

from llmopt_core.resources.load import Conversations
from llmopt_runner.datasets.base import DatasetInvalid, Item

_TURN = "/turn-"
_SPEAKERS = {"system": "System", "user": "User", "assistant": "Assistant"}


def turns_of(item: Item, most: int | None = None) -> tuple[Item, ...]:
    """Return the first `most` turns of `item` (all where None), each an item that can be asked and scored."""
    first = replace(item, id=f"{item.id}{_TURN}1", later=())
    later = (
        Item(f"{item.id}{_TURN}{number}", turn.question, turn.answer, item.kind, solution=turn.solution)
        for number, turn in enumerate(item.later, start=2)
    )
    return (first, *later)[:most]


def recorded_answer(turn: Item) -> str:
    """Return what the data set says was answered, as it stands there; empty where it does not."""
    return turn.solution or turn.answer


def scores_of_items(scores: Mapping[str, float]) -> dict[str, float]:
    """Return the score of each conversation: the mean of those of its turns, which are `scores` by id."""
    by_item: dict[str, list[float]] = {}
    for turn, score in scores.items():
        by_item.setdefault(turn.rpartition(_TURN)[0], []).append(score)
    return {item: fmean(each) for item, each in by_item.items()}


def in_context(turn: Item, earlier: Sequence[Mapping[str, object]]) -> Item:
    """Return `turn` with what was said before as part of its question: alone it may mean nothing."""
    if not earlier:
        return turn
    said = [f"{_SPEAKERS[str(message['role'])]}: {message['content']}" for message in earlier]
    return replace(turn, question="\n\n".join((*said, f"User: {turn.question}")))


def require_conversations(items: Sequence[Item], asked: Conversations) -> None:
    """Raise DatasetInvalid where `items` are no conversations, or lack answers that are to be sent."""
    if not any(item.later for item in items):
        raise DatasetInvalid(
            f"workload.load.conversations: none of {len(items)} items has a second turn: use a data set of"
            " conversations (columns conversations, messages or turns), or remove load.conversations"
        )
    if asked.history != "recorded":
        return
    silent = [
        item.id for item in items if not all(map(recorded_answer, turns_of(item, asked.max_turns)[:-1]))
    ]
    if silent:
        raise DatasetInvalid(
            f"workload.load.conversations.history is 'recorded', but {len(silent)} of {len(items)}"
            f" conversations, such as {silent[0]!r}, lack an answer before a later turn: write 'generated',"
            " or add the answers"
        )
