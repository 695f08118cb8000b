"""Conversations as chains of requests: each turn is sent after the answer to the one before. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from llmopt_runner.load.requests import ChatRequest, FollowUp


def chained(
    conversation: str,
    turns: Sequence[ChatRequest],
    think_seconds: Sequence[float],
    answers: Sequence[str] | None = None,
) -> ChatRequest:
    """Return the first of `turns`, which the others follow.

    `turns` are requests as they would be sent alone: of the later ones only the last message is new.
    `think_seconds` are the times before the later turns. `answers` are those that stand between the turns;
    None: the server's own.
    """
    follow_up: FollowUp | None = None
    for place in range(len(turns) - 1, 0, -1):
        said = () if answers is None else ({"role": "assistant", "content": answers[place - 1]},)
        new = (*said, turns[place].messages[-1])
        turn = replace(
            turns[place], messages=new, conversation=conversation, turn=place + 1, follow_up=follow_up
        )
        follow_up = FollowUp(turn, think_seconds[place - 1], own_answer=answers is None)
    return replace(turns[0], conversation=conversation, follow_up=follow_up)


def later_turns(request: ChatRequest) -> Iterator[ChatRequest]:
    """Yield the turns after `request`, with what is known beforehand: answers to come are empty."""
    while (follow_up := request.follow_up) is not None:
        request = follow_up.after(request, "")
        yield request


def every_turn(requests: Iterable[ChatRequest]) -> list[ChatRequest]:
    """Return `requests`, each with its later turns."""
    return [turn for request in requests for turn in (request, *later_turns(request))]
