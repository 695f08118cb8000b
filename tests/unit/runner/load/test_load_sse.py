"""Server-sent events, however the network cuts them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt_runner.load.sse import MalformedStream, SseParser

LINES = st.sampled_from(
    [
        "data: {}",
        "data:x",
        "data: 안녕 🙂",
        "data:",
        "",
        ": a comment",
        "event: message",
        "id: 7",
        "retry: 10",
    ]
)
ENDINGS = st.sampled_from(["\n", "\r\n", "\r"])
STREAMS = st.lists(st.tuples(LINES, ENDINGS), max_size=20).map(
    lambda lines: "".join(line + ending for line, ending in lines).encode()
)


def parse(*chunks):
    parser = SseParser()
    return [data for chunk in chunks for _, data in parser.feed(chunk)]


@given(stream=STREAMS, data=st.data())
def test_any_split_gives_the_same_events(stream, data):
    """Where the bytes are cut, in the middle of a character or of a line ending, does not matter."""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    chunks = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert parse(*chunks) == parse(stream)


def test_byte_by_byte_is_a_split_too():
    """Single bytes give the events that the whole gives."""
    stream = "data: é\r\n\r\ndata: [DONE]\n\n".encode()
    assert parse(*(stream[i : i + 1] for i in range(len(stream)))) == ["é", "[DONE]"]


def test_several_data_lines_are_one_event():
    """The lines of one event are joined by line feeds, as the standard says."""
    assert parse(b"data: a\ndata: b\n\n") == ["a\nb"]


def test_only_one_leading_space_is_dropped():
    """A token that begins with a space keeps it."""
    assert parse(b"data:  a\n\ndata:b\n\n") == [" a", "b"]


def test_comments_and_other_fields_are_no_events():
    """Keep-alive comments, names, ids and fields of later standards pass silently."""
    assert parse(b": ping\n\nevent: x\nid: 1\nretry: 5\nx-trace: 7\ndata-x: 1\n\n") == []


def test_an_event_without_its_blank_line_is_not_given():
    """What was cut off in the middle is not taken for an event, and stays visible."""
    parser = SseParser()
    assert parser.feed(b"data: a\n\ndata: b") == [("", "a")]
    assert parser.rest == b"data: b"


@pytest.mark.parametrize(
    "line", [b"<html>Bad Gateway</html>", b'{"error": 1}', b"Internal Server Error", b"Not found: x"]
)
def test_garbage_is_refused_with_its_text(line):
    """A line that no event stream holds is an error that shows it."""
    with pytest.raises(MalformedStream, match="expected a line such as") as caught:
        parse(line + b"\n\n")
    assert repr(line) in str(caught.value)


def test_bytes_that_are_no_text_are_refused():
    """Data that is not UTF-8 is an error, not a replacement character in somebody's answer."""
    with pytest.raises(MalformedStream, match="not UTF-8"):
        parse(b"data: \xff\xfe\n\n")


def test_the_name_of_an_event_comes_with_it():
    """An event's name is its own, not the next one's."""
    parser = SseParser()
    assert parser.feed(b"event: error\ndata: a\n\ndata: b\n\n") == [("error", "a"), ("", "b")]


def test_a_byte_order_mark_and_events_without_data_pass():
    """The standard drops both."""
    assert parse(b"\xef\xbb\xbfdata: a\n\ndata:\n\ndata: b\n\n") == ["a", "b"]


def test_an_event_at_whose_blank_line_the_stream_ended_is_given_at_the_end():
    """A server may close the connection right after the last line of its last event."""
    parser = SseParser()
    assert parser.feed(b"data: a\n") == []
    assert parser.end() == [("", "a")]
    assert parser.end() == []


@pytest.mark.parametrize("chunk", [b"data: " + b"x" * (1 << 20), b"data: x" + b"x" * 1000 + b"\n"])
def test_an_endless_event_is_refused(chunk):
    """Neither one endless line nor endless lines of one event fill the memory."""
    with pytest.raises(MalformedStream, match="longer than 4,194,304 bytes"):
        parse(*[chunk] * 10_000)


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"])
def test_an_event_is_given_with_its_last_byte(ending):
    """Each of the standard's line endings ends a line at once: what comes next may come much later."""
    parser = SseParser()
    stream = b"data: a" + ending + ending
    events = [parser.feed(stream[place : place + 1]) for place in range(len(stream))]
    assert events.index([("", "a")]) == len(b"data: a" + ending + ending[:1]) - 1
    assert parser.feed(b"data: b" + ending * 2) == [("", "b")]


def test_the_error_field_of_llamacpp_is_an_error_event():
    """Its server sent errors in a field of that name until 2025."""
    assert SseParser().feed(b'error: {"code": 500}\n\n') == [("error", '{"code": 500}')]
