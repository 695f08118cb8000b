"""Judges and scoring services, against real HTTP servers on the loopback interface."""

import asyncio
import json
import socket

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st

from llmopt_runner.datasets.base import Item
from llmopt_runner.quality.base import EvaluatorSettings, ScoringFailed
from llmopt_runner.quality.endpoint import EndpointScore
from llmopt_runner.quality.judge import Judge

_ITEM = Item("i1", "What is {answer}?", "four", "k", ("four", "five"))


def _served(reply, use):
    """Run `use(url)` beside a server that answers with `reply`; return its result and the requests."""
    seen = []

    async def handle(request):
        seen.append((request.path, dict(request.headers), await request.json()))
        return await reply(request)

    async def run():
        app = web.Application()
        app.router.add_post("/{path:.*}", handle)
        async with TestServer(app) as server:
            return await use(str(server.make_url("")))

    return asyncio.run(run()), seen


def _text(body, status=200):
    async def reply(request):
        return web.Response(text=body, status=status)

    return reply


def _endpoint_score(reply, **settings):
    async def use(url):
        evaluator = EndpointScore.from_settings(
            EvaluatorSettings("endpoint", endpoint_url=f"{url}/mine", **settings)
        )
        return await evaluator.score(_ITEM, "an answer")

    return _served(reply, use)


def _judge_score(content, *, args=None, suffix=""):
    body = (
        content
        if isinstance(content, bytes)
        else json.dumps({"choices": [{"message": {"content": content}}]})
    )

    async def use(url):
        settings = EvaluatorSettings("judge", args or {}, url + suffix, "big-model", "key-1")
        return await Judge.from_settings(settings).score(_ITEM, "an {question} answer")

    return _served(_text(body if isinstance(body, str) else body.decode()), use)


def test_service_gets_item_and_answer():
    """The service is posted the whole item with the answer, and its number is the score."""
    score, ((path, headers, body),) = _endpoint_score(_text('{"score": 0.25}'), api_key="key-1")
    assert score == 0.25
    assert path == "/mine"
    assert headers["Authorization"] == "Bearer key-1"
    assert body == {
        "item": {
            "id": "i1",
            "question": "What is {answer}?",
            "answer": "four",
            "kind": "k",
            "choices": ["four", "five"],
            "alternatives": [],
            "solution": "",
        },
        "answer": "an answer",
    }


@pytest.mark.parametrize(("body", "score"), [('{"score": 0}', 0), ('{"score": 1, "why": "good"}', 1)])
def test_ends_of_the_scale(body, score):
    """0 and 1 are scores, and what else the service says is ignored."""
    assert _endpoint_score(_text(body))[0] == score


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ('{"score": 2}', 200, "scored i1 with 2: it must answer"),
        ('{"score": -0.1}', 200, "scored i1 with -0.1"),
        ('{"score": "1"}', 200, "scored i1 with '1'"),
        ('{"score": true}', 200, "scored i1 with True"),
        ('{"score": NaN}', 200, "scored i1 with nan"),
        ("{}", 200, "scored i1 with None"),
        ("[1]", 200, r"answered '\[1\]': a JSON object was expected"),
        ("oops", 200, "answered 'oops'"),
        ("", 200, "answered ''"),
        ("[" * 100_000, 200, "a JSON object was expected"),
        ('{"score": 1}', 500, "answered 500"),
        ("no", 401, r"answered 401 \('no'\)"),
    ],
)
def test_anything_but_a_score_is_an_error(body, status, reason):
    """An answer without a number from 0 to 1 is an error that shows what came."""
    with pytest.raises(ScoringFailed, match=reason):
        _endpoint_score(_text(body, status))


def test_a_score_of_any_length_is_shown_shortened():
    """A message is kept in the study, and is never megabytes."""
    with pytest.raises(ScoringFailed) as caught:
        _endpoint_score(_text(json.dumps({"score": ["x"] * 100_000})))
    assert len(str(caught.value)) < 500


def test_silent_service_is_an_error():
    """A service that does not answer in time is an error that names the argument to raise."""

    async def never(request):
        await asyncio.Event().wait()

    with pytest.raises(
        ScoringFailed, match=r"no score within 0.05 s: raise workload\.evaluator\.args\.timeout"
    ):
        _endpoint_score(never, args={"timeout_seconds": "0.05"})


def test_absent_service_is_an_error(unused_port):
    """A service that is not there is an error with its address."""
    evaluator = EndpointScore.from_settings(
        EvaluatorSettings("endpoint", endpoint_url=f"http://127.0.0.1:{unused_port}")
    )
    with pytest.raises(ScoringFailed, match=rf"127\.0\.0\.1:{unused_port} cannot be asked .*check workload"):
        asyncio.run(evaluator.score(_ITEM, "x"))


@pytest.fixture
def unused_port():

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.parametrize("suffix", ["", "/", "/v1", "/v1/"])
def test_judge_is_asked_as_a_chat(suffix):
    """The judge gets rubric, question, reference and answer word for word, greedily, at its chat address."""
    score, ((path, headers, body),) = _judge_score("Score: 7", args={"rubric": "Be strict."}, suffix=suffix)
    (message,) = body["messages"]
    assert score == 0.7
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == "Bearer key-1"
    assert (body["model"], body["temperature"]) == ("big-model", 0)
    for part in ("Be strict.", "What is {answer}?", "four", "an {question} answer", "from 0 (useless) to 10"):
        assert part in message["content"]


@pytest.mark.parametrize(
    ("verdict", "score"),
    [
        ("Score: 10", 1.0),
        ("0", 0.0),
        ("It is mostly right.\n\nScore: 8", 0.8),
        ("**Score: 5/10**", 0.5),
        ("score = 3.", 0.3),
    ],
)
def test_verdicts_that_are_read(verdict, score):
    """The last line gives the score, whatever thoughts came before it."""
    assert _judge_score(verdict)[0] == score


@pytest.mark.parametrize(
    "verdict",
    [
        "",
        "good",
        "Score: 11",
        "Score: -1",
        "Score: 7.5",
        "7 or 8",
        "Score: 3/5",
        "Score: 8\nScore",
        "Score: 8 of 10",
    ],
)
def test_unclear_verdict_makes_no_score(verdict):
    """A verdict that is not one whole number of the scale is an error that shows it."""
    with pytest.raises(ScoringFailed, match=r"big-model wrote .* about i1, which does not end in 'Score: N'"):
        _judge_score(verdict)


@pytest.mark.parametrize(
    "body", [b"{}", b'{"choices": []}', b'{"choices": [{"message": {"content": null}}]}']
)
def test_judge_that_is_no_chat_server(body):
    """An answer that is no chat completion is an error that says what to check."""
    with pytest.raises(ScoringFailed, match="that is no chat completion; check that workload"):
        _judge_score(body)


@pytest.mark.parametrize("depth", [500, 3000, 9000, 50_000])
@pytest.mark.parametrize("content", ['[{"type": "reasoning", "text": DEEP}]', "DEEP", '[{"type": DEEP}]'])
def test_a_judges_reply_of_any_depth_is_an_error(content, depth):
    """However deep it is nested, it is no verdict, and no other exception."""
    message = content.replace("DEEP", "[" * depth + "]" * depth)
    with pytest.raises(ScoringFailed):
        _judge_score(f'{{"choices": [{{"message": {{"content": {message}}}}}]}}'.encode())


@pytest.mark.parametrize("depth", [500, 3000, 9000])
def test_a_score_of_any_depth_is_an_error(depth):
    """It is shown shortened, or said to be nested too deeply."""
    with pytest.raises(ScoringFailed):
        _endpoint_score(_text('{"score": ' + "[" * depth + "]" * depth + "}"))


@given(st.integers(1, 1000), st.data())
def test_scores_are_scaled(scale, data):
    """A score on any scale becomes a share of it."""
    points = data.draw(st.integers(0, scale))
    judge = Judge.from_settings(EvaluatorSettings("judge", {"scale": scale}, "http://127.0.0.1:1", "m"))
    assert judge._verdict(_ITEM, f"Score: {points}") == pytest.approx(points / scale)


def _set_scores(reply):
    async def use(url):
        settings = EvaluatorSettings("endpoint", {"whole_set": "true"}, f"{url}/mine")
        evaluator = EndpointScore.from_settings(settings)
        assert evaluator.whole_set
        return await evaluator.score_set([_ITEM, _ITEM], ["x", "y"], {"sampling.temperature": 0.5})

    return _served(reply, use)


def test_service_of_a_whole_set_gets_all_at_once():
    """With whole_set the service is posted items, answers and parameters in one request."""
    scores, ((_, _, body),) = _set_scores(_text('{"scores": [0, 0.5]}'))
    assert scores == [0.0, 0.5]
    assert [item["id"] for item in body["items"]] == ["i1", "i1"]
    assert (body["answers"], body["parameters"]) == (["x", "y"], {"sampling.temperature": 0.5})


@pytest.mark.parametrize(
    "body", ['{"scores": [1]}', '{"scores": 1}', "{}", '{"scores": [1, 2]}', '{"score": 1}']
)
def test_anything_but_a_score_for_each_is_an_error(body):
    """Fewer scores than answers, or others than numbers from 0 to 1, are an error."""
    with pytest.raises(ScoringFailed, match="from 0 to 1"):
        _set_scores(_text(body))
