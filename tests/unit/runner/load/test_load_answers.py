"""What of a streamed answer counts as a token, as text, as an error."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt_runner.load.answers import StreamedAnswer, error_message
from llmopt_runner.load.sse import MalformedStream
from llmopt_runner.load.usage import TokenCounts

STREAMS = Path(__file__).parents[3] / "data" / "streams"


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
    assert built.separated().answer == "ab"


@pytest.mark.parametrize(
    "name", ["reasoning_content", "reasoning", "thinking", "thinking_content", "reasoning_text", "thoughts"]
)
def test_reasoning_is_timed_but_is_not_the_answer(name):
    """A reader sees reasoning as it comes; an evaluator scores only what follows."""
    built = answer((1.0, delta(**{name: "hm"})), (2.0, delta(content="4")), (3.0, delta(finish="stop")))
    assert built.chunk_times == [1.0, 2.0]
    assert built.separated().answer == "4"


def test_the_usage_comes_in_a_chunk_without_choices():
    """Counts are the server's, the prefix-cache hits among them, and that chunk ends the answer's time."""
    usage = {
        "prompt_tokens": 9,
        "completion_tokens": 5,
        "prompt_tokens_details": {"cached_tokens": 8},
    }
    built = answer((1.0, delta(content="abc")), (2.0, event(choices=[], usage=usage)), (3.0, DONE))
    assert built.counts() == TokenCounts(9, 5, 8)
    assert built.counts().reported
    assert built.last_chunk_at == 2.0
    assert built.done


def test_usage_may_be_null_in_every_chunk_but_the_last():
    """A null does not wipe out a count, and running counts end at the last."""
    built = answer(
        (1.0, event(choices=[], usage={"completion_tokens": 1, "prompt_tokens_details": None})),
        (2.0, event(choices=[], usage={"completion_tokens": 2, "prompt_tokens_details": None})),
        (3.0, event(choices=[], usage=None)),
    )
    assert built.counts() == TokenCounts(None, 2, None)


def test_without_usage_chunks_with_text_are_counted():
    """The estimate is the number of chunks with text, and it is known to be one."""
    built = answer((1.0, delta(content="a")), (2.0, delta(content="b")), (3.0, delta(finish="stop")))
    assert built.counts() == TokenCounts()
    assert built.estimated_tokens(10) == 2


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
        {"type": "error", "code": "500", "message": "out of memory"},
        {"type": "error", "error": {"type": "overloaded", "message": "out of memory"}},
        {"detail": "out of memory"},
        {"message": "out of memory", "code": 500},
        {"errors": "out of memory"},
        {"error": {"message": "out of memory"}, "choices": [{"delta": {"content": ""}}]},
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


def read(name, *, step=1000):
    """Return what the stream `name` is read as, its bytes in pieces of `step` at the seconds 0, 1, …"""
    content = (STREAMS / f"{name}.sse").read_bytes()
    built = StreamedAnswer()
    for at, start in enumerate(range(0, len(content), step)):
        built.feed(float(at), content[start : start + step])
    built.end(0.0)
    return built


@pytest.mark.parametrize(
    ("name", "text", "reasoned"),
    [
        ("magistral", "The answer is 7.", True),
        ("think_in_content", "7", True),
        ("ollama_reasoning", "The answer is 7.", True),
        ("split_utf8", "정답은 「7」입니다 😀", False),
        ("tgi", "The answer is 7.", False),
    ],
)
@pytest.mark.parametrize("step", [1, 1000])
def test_answers_of_servers_in_the_field_are_read(name, text, reasoned, step):
    """Each gives its answer without the reasoning, counted by the server, however the bytes are cut."""
    built = read(name, step=step)
    assert built.fault is None
    assert built.separated().answer == text
    assert (built.reasoned_apart or bool(built.separated().reasoning)) is reasoned
    assert built.counts(10_000).reported


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ogx_error", "model not found"),
        ("lmstudio_error", "Compute error."),
        ("openrouter_error", "Worker local total request limit reached (33/32)"),
    ],
)
def test_errors_of_servers_in_the_field_fail_the_request(name, message):
    """An error is the request's, with its message, also where the stream then ends as a good one."""
    assert read(name).fault == f"the server reported in the stream: {message}"


def test_a_chunk_that_is_no_token_leaves_the_count_unknown():
    """Four chunks for sixteen tokens: the answer reached max_tokens, and no count is made up."""
    built = read("nousage_bundled")
    assert (built.fault, built.finish_reason, len(built.chunk_times)) == (None, "length", 4)
    assert (built.counts(16), built.estimated_tokens(16)) == (TokenCounts(), None)


def parts(*content, **fields):
    return delta(content=list(content), **fields)


def test_the_first_token_is_the_first_part_of_any_kind():
    """Reasoning in a list is timed like text; parts without text are no token."""
    empty = {"type": "thinking", "thinking": [{"type": "text", "text": ""}]}
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
    built = answer(
        (1.0, parts(empty)),
        (2.0, parts(thought)),
        (3.0, parts({"type": "reasoning", "text": "so"}, {"type": "text", "text": "4"})),
        (4.0, parts({"type": "reference", "reference_ids": [1]}, "2")),
        (5.0, delta(finish="stop")),
    )
    assert built.chunk_times == [2.0, 3.0, 4.0]
    assert (built.separated().answer, built.reasoned_apart) == ("42", True)


def test_an_error_that_is_null_is_none():
    """Some servers send the field in each chunk."""
    built = answer((1.0, event(error=None, choices=[{"delta": {"content": "a"}, "finish_reason": "stop"}])))
    assert (built.fault, built.separated().answer) == (None, "a")


@pytest.mark.parametrize("data", [b"overloaded", b'{"error": {"message": "overloaded"}}', b'"overloaded"'])
def test_an_event_named_error_is_one_whatever_it_holds(data):
    """The name decides: text and documents of any shape give the message."""
    built = answer((1.0, b"event: error\ndata: " + data + b"\n\n"))
    assert built.fault == "the server reported in the stream: overloaded"


@pytest.mark.parametrize(
    "data", [b'{"message": "alive"}', b'{"detail": "loading"}', b'[{"error": "no"}]', b"5", b"null", b"alive"]
)
def test_an_event_of_another_name_says_nothing(data):
    """What a server sends beside the answer, to keep the connection open for instance, is no error."""
    built = answer((1.0, b"event: ping\ndata: " + data + b"\n\n"), (2.0, delta(finish="stop", content="a")))
    assert (built.fault, built.separated().answer) == (None, "a")


def test_chunks_and_errors_may_have_names():
    """The name of an event is looked at where its data are neither."""
    named = answer((1.0, b"event: completion.chunk\n" + delta(finish="stop", content="a")))
    assert (named.fault, named.separated().answer) == (None, "a")
    refused = answer((1.0, b'event: failed\ndata: {"error": "overloaded"}\n\n'))
    assert refused.fault == "the server reported in the stream: overloaded"


@pytest.mark.parametrize("reason", ["error", "abort"])
def test_an_answer_that_the_server_gave_up_is_at_fault(reason):
    """What came before is a part of an answer, not one to be scored."""
    assert f"finish_reason is {reason}" in answer((1.0, delta(finish=reason, content="a"))).fault


def test_a_stream_that_only_ends_is_no_answer():
    """[DONE] alone is what some servers send after a failure."""
    assert "before any part of an answer" in answer((1.0, DONE)).fault


def test_what_comes_after_the_end_is_not_read():
    """Events behind [DONE] change nothing."""
    assert answer((1.0, delta(content="a")), (2.0, DONE), (3.0, delta(content="b"))).separated().answer == "a"


@pytest.mark.parametrize(
    "ending", [b"data: [DONE]", b"data:[DONE]\r", b'data: {"choices": [{"finish_reason": "stop"}]}\n']
)
def test_the_last_blank_line_may_be_missing(ending):
    """A server that closes the connection right after its last line has ended the answer."""
    built = answer((1.0, delta(content="a")), (2.0, ending))
    built.end(2.0)
    assert built.fault is None


def test_halves_of_a_character_are_joined_or_replaced():
    """What is stored and scored is always text that can be written."""
    built = answer(
        (1.0, b'data: {"choices": [{"delta": {"content": "\\ud83d"}}]}\n\n'),
        (2.0, b'data: {"choices": [{"delta": {"content": "\\ude00 \\udc00"}}]}\n\n'),
    )
    assert built.separated().answer == "\N{GRINNING FACE} \N{REPLACEMENT CHARACTER}"
    assert error_message({"error": "\ud800"}) == "\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    ("usage", "problem"),
    [
        ({"completion_tokens": -50}, "completion_tokens is -50"),
        ({"completion_tokens": 10**12}, "completion_tokens is 1000000000000"),
        ({"completion_tokens": 17}, "completion_tokens is 17, and must be a whole number from 0 to 16"),
        ({"completion_tokens": True}, "completion_tokens is True"),
        ({"completion_tokens": 5.5}, "completion_tokens is 5.5"),
        ({"completion_tokens": "5"}, "completion_tokens is '5'"),
        ({"completion_tokens": 0}, "completion_tokens is 0 for an answer with text"),
        ({"completion_tokens": 1, "prompt_tokens": -1}, "prompt_tokens is -1"),
        ({"completion_tokens": 1, "prompt_tokens": 10**12}, "prompt_tokens is 1000000000000"),
        (
            {"completion_tokens": 1, "prompt_tokens": 5, "prompt_tokens_details": {"cached_tokens": 6}},
            "cached_tokens is 6, and must be a whole number from 0 to 5",
        ),
        ({"completion_tokens": [1]}, "completion_tokens is a list, and must be"),
        (
            {"completion_tokens": 1, "completion_tokens_details": {"reasoning_tokens": 17}},
            "reasoning_tokens is 17, and must be a whole number from 0 to 16",
        ),
        (
            {"completion_tokens": 1, "completion_tokens_details": {"reasoning_tokens": -3}},
            "reasoning_tokens is -3",
        ),
        (
            {"completion_tokens": 1, "completion_tokens_details": {"reasoning_tokens": 2.5}},
            "reasoning_tokens is 2.5",
        ),
    ],
)
def test_a_count_that_cannot_be_true_is_named(usage, problem):
    """Negative counts, counts beyond what was asked for and what is no whole number are distinguished."""
    counts = answer((1.0, delta(content="a")), (2.0, event(choices=[], usage=usage))).counts(16)
    assert problem in counts.impossible


@pytest.mark.parametrize("usage", [None, "none", [1], 5, {}, {"completion_tokens": None}])
def test_usage_that_holds_no_counts_is_none(usage):
    """What is no object of counts says nothing, as if it had not come."""
    built = answer((1.0, delta(content="a")), (2.0, event(choices=[], usage=usage)))
    assert built.counts(16) == TokenCounts()


KEYS = ("choices", "delta", "content", "usage", "error", "type", "text", "thinking", "finish_reason",
        "message", "completion_tokens", "prompt_tokens", "prompt_tokens_details",
        "cached_tokens")  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


def outcome_of(data):
    """Return the answer that `data` is read as, or the one error that says why it is none."""
    built = StreamedAnswer()
    try:
        built.feed(1.0, data)
        built.end(1.0)
    except MalformedStream as error:
        return str(error)
    text = built.fault or built.separated().answer
    built.counts(16), built.estimated_tokens(16)
    return text


@given(documents=st.lists(JSON, max_size=5))
def test_any_document_is_read_or_refused(documents):
    """JSON of any shape in the places of a chunk gives a record, never another exception."""
    data = b"".join(b"data: " + json.dumps(document).encode() + b"\n\n" for document in documents)
    outcome_of(data).encode()


@given(document=JSON)
def test_any_error_body_has_a_message(document):
    """A document of any shape, reported as an error, gives a text that is short and can be written."""
    message = error_message(document)
    message.encode()
    assert len(message) <= 500


@given(data=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data):
    """Bytes of any kind give a record, never another exception."""
    outcome_of(data).encode()
    outcome_of(b"data: " + data + b"\n\n").encode()


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 100_000,
        b'{"choices": ' * 50_000,
        b"9" * 5000,
        b'{"usage": {"completion_tokens": ' + b"9" * 4000 + b"}}",
    ],
)
def test_documents_made_to_exhaust_are_refused(data):
    """Nesting beyond what can be followed and numbers of thousands of digits are a record too."""
    outcome_of(b"data: " + data + b"\n\n").encode()


@pytest.mark.parametrize("depth", [400, 900, 3000, 9000, 50_000])
@pytest.mark.parametrize(
    "document",
    [
        b'[{"error": %s}]',
        b'{"error": {"message": %s}}',
        b'{"choices": [{"delta": {"reasoning": %s}}]}',
        b'{"choices": [{"delta": {"content": [{"type": %s}]}}]}',
        b'{"choices": [{"delta": {"content": "a"}, "finish_reason": "error", "error": %s}]}',
        b'{"choices": [], "usage": {"completion_tokens": %s}}',
    ],
)
@pytest.mark.parametrize("event", [b"", b"event: error\n"])
def test_a_document_of_any_depth_is_a_record(event, document, depth):
    """Wherever a server nests what it sends, its request alone fails, or is read."""
    for nested in (b"[" * depth + b"1" + b"]" * depth, b'{"error": ' * depth + b"1" + b"}" * depth):
        outcome_of(event + b"data: " + document % nested + b"\n\n").encode()
