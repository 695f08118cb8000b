"""Conversations as chains of requests: what each turn holds, and what is known of it beforehand."""

from llmopt_runner.load.conversations import chained, every_turn
from llmopt_runner.load.distinct_prompts import distinct
from llmopt_runner.load.requests import ChatRequest

SYSTEM = {"role": "system", "content": "Be brief."}


def user(text):
    return {"role": "user", "content": text}


def said_by_server(text):
    return {"role": "assistant", "content": text}


def asked(*texts):
    return [ChatRequest(f"a/{text}", (SYSTEM, user(text)), 8, {"seed": len(text)}) for text in texts]


def test_a_turn_holds_all_that_was_said_before():
    """The system's text stands once, the server's answers between the turns; each has its own fields."""
    opening = chained("a", asked("one", "three", "fifth!"), [1.0, 2.0])
    second = opening.follow_up.after(opening, "1")
    third = second.follow_up.after(second, "3")
    assert third.messages == (
        SYSTEM,
        user("one"),
        said_by_server("1"),
        user("three"),
        said_by_server("3"),
        user("fifth!"),
    )
    assert [turn.turn for turn in (opening, second, third)] == [1, 2, 3]
    assert (opening.follow_up.think_seconds, second.follow_up.think_seconds) == (1.0, 2.0)
    assert (third.item_id, third.conversation, third.fields, third.follow_up) == (
        "a/fifth!",
        "a",
        {"seed": 6},
        None,
    )


def test_recorded_answers_stand_in_place_of_the_servers_own():
    """What the server said is left out."""
    opening = chained("a", asked("one", "two"), [0.0], ["1 as recorded", "unused"])
    second = opening.follow_up.after(opening, "1 as generated")
    assert second.messages == (SYSTEM, user("one"), said_by_server("1 as recorded"), user("two"))


def test_every_turn_is_known_before_it_is_sent():
    """Answers to come are empty; a request that stands alone is its only turn."""
    (single,) = asked("alone")
    turns = every_turn([chained("a", asked("one", "two"), [0.0]), single])
    assert [turn.item_id for turn in turns] == ["a/one", "a/two", "a/alone"]
    assert turns[1].messages == (SYSTEM, user("one"), said_by_server(""), user("two"))


def test_a_mark_of_its_own_goes_through_the_whole_conversation():
    """A server that keeps prompts sees no conversation twice, and may keep each for its later turns."""
    (opening,) = distinct([chained("a", asked("one", "two"), [0.0])])
    marked = opening.messages[-1]["content"]
    assert marked.endswith("] one")
    assert opening.follow_up.after(opening, "1").messages[1]["content"] == marked
