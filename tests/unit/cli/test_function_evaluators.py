"""A Python function as an evaluator: of one answer, or of all answers of a trial."""

import asyncio
import http.client
import json
from urllib.parse import urlsplit

import numpy as np
import pytest

from llmopt.function_evaluators import EvaluatorServer, scores_sets

_ITEMS = [{"id": "a"}, {"id": "b"}]


def _asked(evaluate, document):
    """Return what a runner is answered, and what the server keeps of a failure."""

    def post(url):
        place = urlsplit(url)
        connection = http.client.HTTPConnection(place.hostname, place.port, timeout=20)
        connection.request("POST", place.path, json.dumps(document), {"Content-Type": "application/json"})
        reply = json.load(connection.getresponse())
        connection.close()
        return reply

    async def ask():
        failed = asyncio.Event()
        server = EvaluatorServer(evaluate, failed.set)
        async with server.serving() as url:
            posted = asyncio.ensure_future(asyncio.to_thread(post, url))
            heard = asyncio.ensure_future(failed.wait())
            # A failure is answered only when the server closes: the caller hears of it first.
            await asyncio.wait({posted, heard}, return_when=asyncio.FIRST_COMPLETED)
            heard.cancel()
        return await posted, server.failure

    return asyncio.run(ask())


def _whole(scores):
    def evaluate(items, answers, parameters):
        assert (len(items), answers, parameters) == (2, ["x", "y"], {"sampling.temperature": 0.5})
        return scores

    return evaluate


_SET = {"items": _ITEMS, "answers": ["x", "y"], "parameters": {"sampling.temperature": 0.5}}


def of_set(items, answers, parameters):
    return [1.0] * len(items)


def of_item(item, answer):
    return 0.25


def of_item_with_an_option(item, answer, limit=1.0):
    return 0.25


def of_anything(*arguments):
    return 0.25


def test_the_signature_says_what_is_scored():
    """Three required arguments are items, answers and parameters; two are one item and its answer."""
    assert scores_sets(of_set)
    assert not any(map(scores_sets, (of_item, of_item_with_an_option, of_anything, max)))


@pytest.mark.parametrize(
    "scores",
    [[1, 0.5], (1.0, 0.5), np.array([1, 0.5]), [np.bool_(True), np.float32(0.5)]],  # noqa: FBT003
)
def test_one_score_for_each_item(scores):
    """A function of the whole set returns as many scores as there are items."""
    assert _asked(_whole(scores), _SET) == ({"scores": [1.0, 0.5]}, None)


@pytest.mark.parametrize(
    ("scores", "reason"),
    [
        ([1], "returned 1 scores for 2 items"),
        ([1, 2], "returned 2, expected a number from 0 to 1"),
        ([1, None], "returned None"),
        (0.5, "raised TypeError"),
    ],
)
def test_anything_else_is_heard(scores, reason):
    """Too few scores, a score outside 0 to 1 or one number for all is an error that the caller sees."""
    answer, failure = _asked(_whole(scores), _SET)
    assert reason in answer["error"]
    assert reason in str(failure)


_ONE = {"item": _ITEMS[0], "answer": "x"}


def test_one_answer_as_before():
    """A function of one item and its answer is asked for each."""
    assert _asked(of_item, _ONE) == ({"score": 0.25}, None)


@pytest.mark.parametrize(
    ("score", "number"),
    [(np.float32(0.5), 0.5), (np.bool_(True), 1.0), (np.int64(0), 0.0), (np.array([0.5]), 0.5)],  # noqa: FBT003
)
def test_a_scalar_of_numpy_is_a_score_of_one_answer_too(score, number):
    """Both forms of an evaluator take the same numbers."""
    assert _asked(lambda *_: score, _ONE) == ({"score": number}, None)


@pytest.mark.parametrize("score", [np.float32(1.5), np.array([0.5, 0.5])])
def test_what_is_no_score_is_shown(score):
    """A number outside 0 to 1, and several for one answer."""
    answer, failure = _asked(lambda *_: score, _ONE)
    assert "expected a number from 0 to 1" in answer["error"]
    assert "expected a number from 0 to 1" in str(failure)
