"""What of a streamed answer counts as a token, as text, as an error."""

import json

import pytest

from llmopt_runner.load.answers import StreamedAnswer, error_message
from llmopt_runner.load.sse import MalformedStream


def event(**document):
    return b"data: " + json.dumps(document).encode() + b"\n\n"


def delta(finish=None, **fields):
    return event(choices=[{"index": 0, "delta": fields, "finish_reason": finish}])


def answer(*timed):
    built = StreamedAnswer()
    for at, data in timed:
        built.feed(at, data)
    return built


DONE = b"data: [DONE]\n\n"


def test_a_role_or_empty_content_is_no_token():
    """The first token is the first non-empty text, whatever chunks come before it."""
    built = answer(
        (1.0, delta(role="assistant")),
        (2.0, delta(role="assistant", content="")),
        (3.0, delta(content=None)),
        (4.0, delta(content="a")),
        (5.0, delta(content="b")),
        (6.0, delta(finish="stop")),
    )
    assert built.chunk_times == [4.0, 5.0]
    assert built.text == "ab"


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_reasoning_is_timed_but_is_not_the_answer(name):
    """A reader sees reasoning as it comes; an evaluator scores only what follows."""
    built = answer((1.0, delta(**{name: "hm"})), (2.0, delta(content="4")), (3.0, delta(finish="stop")))
    assert built.chunk_times == [1.0, 2.0]
    assert built.text == "4"


def test_the_usage_comes_in_a_chunk_without_choices():
    """Counts are the server's, the prefix-cache hits among them, and that chunk ends the answer's time."""
    usage = {
        "prompt_tokens": 9,
        "completion_tokens": 5,
        "prompt_tokens_details": {"cached_tokens": 8},
    }
    built = answer((1.0, delta(content="abc")), (2.0, event(choices=[], usage=usage)), (3.0, DONE))
    assert (built.prompt_tokens, built.output_tokens, built.cached_tokens) == (9, 5, 8)
    assert built.usage_reported
    assert built.last_chunk_at == 2.0
    assert built.done


def test_usage_may_be_null_in_every_chunk_but_the_last():
    """A null does not wipe out a count, and running counts end at the last."""
    built = answer(
        (1.0, event(choices=[], usage={"completion_tokens": 1, "prompt_tokens_details": None})),
        (2.0, event(choices=[], usage={"completion_tokens": 2, "prompt_tokens_details": None})),
        (3.0, event(choices=[], usage=None)),
    )
    assert (built.output_tokens, built.cached_tokens) == (2, None)


def test_without_usage_chunks_with_text_are_counted():
    """The estimate is the number of chunks with text, and it is known to be one."""
    built = answer((1.0, delta(content="a")), (2.0, delta(content="b")), (3.0, delta(finish="stop")))
    assert (built.output_tokens, built.prompt_tokens, built.usage_reported) == (2, 0, False)


@pytest.mark.parametrize("last", [delta(finish="length"), DONE])
def test_an_answer_is_whole_with_either_ending(last):
    """finish_reason or [DONE]: one of them is enough."""
    assert answer((1.0, delta(content="a")), (2.0, last)).fault is None


def test_an_answer_without_an_ending_is_at_fault():
    """A stream that just stops says how far it came and what was cut."""
    built = answer((1.0, delta(content="a")), (2.0, b'data: {"cho'))
    assert "without finish_reason or [DONE] after 1 chunks with text" in built.fault
    assert "cho" in built.fault


@pytest.mark.parametrize(
    "document",
    [
        {"error": {"message": "out of memory", "code": 500}},
        {"object": "error", "message": "out of memory"},
        {"error": "out of memory"},
    ],
)
def test_an_error_in_the_stream_is_the_fault(document):
    """Servers report in the stream what happens after the 200; nothing more is to come then."""
    built = answer((1.0, delta(content="a")), (2.0, event(**document)))
    assert built.done
    assert built.fault == "the server reported in the stream: out of memory"


@pytest.mark.parametrize("data", ["hello", "[1]", '"text"', '{"choices": [1]}', '{"choices": 5}'])
def test_an_event_that_is_no_chunk_is_refused(data):
    """What is not JSON, or not a chunk, is one clear error that shows it."""
    with pytest.raises(MalformedStream, match="an event") as caught:
        answer((1.0, f"data: {data}\n\n".encode()))
    assert repr(data) in str(caught.value)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"error": {"message": "too long"}}, "too long"),
        ({"detail": "Not Found"}, "Not Found"),
        ({"detail": [{"loc": ["body"]}]}, '[{"loc": ["body"]}]'),
        ({"object": "error", "message": "no"}, "no"),
    ],
)
def test_errors_are_read_in_every_form_in_use(document, message):
    """OpenAI's, FastAPI's and vLLM's older form each give their message."""
    assert error_message(document) == message
