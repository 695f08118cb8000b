"""One streamed answer of each kind of server, as its clients get it: what the record must hold."""

import json
from dataclasses import dataclass

import pytest

from llmopt_runner.load.answers import StreamedAnswer
from llmopt_runner.load.usage import TokenCounts


def event(**document):
    return b"data: " + json.dumps(document, ensure_ascii=False).encode() + b"\n\n"


def chunk(delta=None, finish=None, usage=None, **fields):
    choice = {"index": 0, "delta": delta or {}, "finish_reason": finish, **fields}
    return event(id="x", object="chat.completion.chunk", choices=[choice], usage=usage)


def text(content):
    return chunk({"content": content})


ANSWER = "The answer is 7."
KNOWN = TokenCounts(9, 5)
COUNTS = {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}
ROLE, BEGIN, END = chunk({"role": "assistant", "content": ""}), text("The answer is"), text(" 7.")
STOP, USAGE, DONE = chunk({}, "stop"), event(choices=[], usage=COUNTS), b"data: [DONE]\n\n"
REST = (BEGIN, END, STOP, USAGE, DONE)
LAST = chunk({}, "stop", COUNTS)


@dataclass(frozen=True)
class Stream:
    """Events, and what is right: the answer, which event is the first token, the counts, the ending."""

    server: str
    events: tuple[bytes, ...]
    answer: str = ANSWER
    first: int | None = 1
    counts: TokenCounts = KNOWN
    finish: str | None = "stop"
    reasoned: bool = False


THOUGHT = {"role": "assistant", "content": "", "reasoning_content": "hm"}
ENCRYPTED = [{"type": "reasoning.encrypted", "data": "gAAA", "index": 0}]
PART = {"type": "reasoning.text", "id": "r1", "format": "MiniMax", "index": 0, "text": "hm"}
CALL = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}
CACHED = {**COUNTS, "prompt_tokens_details": {"cached_tokens": 8}}
MOONSHOT = {**COUNTS, "cached_tokens": 4}
GROQ = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
NULLS = {"reasoning_content": None, "refusal": None, "tool_calls": [], "function_call": None}

ANSWERS = (
    Stream("vllm", (ROLE, *REST)),
    Stream("vllm, fields without values", (chunk({"role": "assistant", "content": "", **NULLS}), *REST)),
    Stream("vllm, counts in every chunk", (chunk({}, None, {**COUNTS, "completion_tokens": 0}), *REST)),
    Stream("sglang", (ROLE, BEGIN, END, chunk({"content": None}, "stop", matched_stop=2), USAGE, DONE)),
    Stream("llama.cpp", (chunk({"role": "assistant", "content": None}), *REST)),
    Stream("llama.cpp, progress", (ROLE, event(choices=[], prompt_progress={"total": 9}), *REST), first=2),
    Stream(
        "tgi", (BEGIN, END, chunk({"content": ""}, "eos_token"), USAGE, DONE), first=0, finish="eos_token"
    ),
    Stream("ollama", (BEGIN, END, chunk({"role": "assistant", "content": ""}, "stop"), USAGE, DONE), first=0),
    Stream("triton, no counts", (BEGIN, END, STOP, DONE), first=0, counts=TokenCounts()),
    Stream("openai", (event(choices=[], obfuscation="aB"), ROLE, *REST), first=2),
    Stream(
        "openai, a refusal",
        (ROLE, chunk({"refusal": "I cannot"}), chunk({"refusal": " help."}), STOP, USAGE, DONE),
        answer="I cannot help.",
    ),
    Stream(
        "openai, a call",
        (ROLE, chunk({"tool_calls": [CALL]}), chunk({}, "tool_calls"), USAGE, DONE),
        answer="",
        finish="tool_calls",
    ),
    Stream("azure", (event(choices=[], id="", model="", prompt_filter_results=[{}]), ROLE, *REST), first=2),
    Stream(
        "azure, offsets", (ROLE, event(choices=[{"index": 0, "content_filter_offsets": {}}]), *REST), first=2
    ),
    Stream(
        "azure, filtered",
        (ROLE, BEGIN, chunk({}, "content_filter"), USAGE, DONE),
        answer="The answer is",
        finish="content_filter",
    ),
    Stream("openrouter", (b": OPENROUTER PROCESSING\n\n" * 2, *REST)),
    Stream(
        "openrouter, reasoning",
        (chunk({"content": "", "reasoning": "hm", "reasoning_details": [PART]}), *REST),
        first=0,
        reasoned=True,
    ),
    Stream("openrouter, encrypted", (chunk({"content": "", "reasoning_details": ENCRYPTED}), *REST)),
    Stream("minimax", (chunk({"reasoning_details": [PART]}), *REST), first=0, reasoned=True),
    Stream(
        "minimax, whole at the end",
        (
            BEGIN,
            END,
            event(
                choices=[{"index": 0, "message": {"content": ANSWER}, "finish_reason": "stop"}],
                usage=COUNTS,
                base_resp={"status_code": 0, "status_msg": "ok"},
            ),
        ),
        first=0,
    ),
    Stream(
        "a proxy, one message",
        (event(choices=[{"message": {"content": ANSWER}, "finish_reason": "stop"}], usage=COUNTS), DONE),
        first=0,
    ),
    Stream(
        "a proxy, text",
        (event(choices=[{"index": 0, "text": ANSWER, "finish_reason": "stop"}], usage=COUNTS), DONE),
        first=0,
    ),
    Stream("together", (chunk({"content": ANSWER}, text=ANSWER), LAST, DONE), first=0),
    Stream("fireworks", (ROLE, BEGIN, END, LAST, DONE)),
    Stream("mistral", (ROLE, BEGIN, chunk({"content": " 7."}, "stop", COUNTS), DONE)),
    Stream("mistral, cut", (ROLE, BEGIN, END, chunk({}, "model_length"), USAGE, DONE), finish="length"),
    Stream("cohere, cut", (ROLE, BEGIN, END, chunk({}, "MAX_TOKENS"), USAGE, DONE), finish="length"),
    Stream(
        "glm, cut",
        (ROLE, BEGIN, END, chunk({}, "model_context_window_exceeded", COUNTS), DONE),
        finish="length",
    ),
    Stream("glm", (chunk(THOUGHT), BEGIN, END, LAST, DONE), first=0, reasoned=True),
    Stream("anthropic's proxy", (b'event: ping\ndata: {"type": "ping"}\n\n', *REST)),
    Stream(
        "deepseek",
        (
            b": keep-alive\n\n",
            chunk({"content": None, "reasoning_content": ""}),
            chunk({"content": None, "reasoning_content": "hm"}),
            BEGIN,
            END,
            chunk({"content": "", "reasoning_content": None}, "stop", CACHED),
            DONE,
        ),
        first=2,
        counts=TokenCounts(9, 5, 8),
        reasoned=True,
    ),
    Stream(
        "deepseek, its own count",
        (ROLE, BEGIN, END, chunk({}, "stop", {**COUNTS, "prompt_cache_hit_tokens": 8}), DONE),
        counts=TokenCounts(9, 5, 8),
    ),
    Stream(
        "moonshot",
        (ROLE, BEGIN, END, event(choices=[{"finish_reason": "stop", "usage": MOONSHOT}]), DONE),
        counts=TokenCounts(9, 5, 4),
    ),
    Stream("groq", (ROLE, BEGIN, END, event(**GROQ, x_groq={"id": "r", "usage": COUNTS}), DONE)),
    Stream(
        "gemini", (chunk({"content": "The answer is"}, None, {"prompt_tokens": 9}), END, LAST, DONE), first=0
    ),
    Stream(
        "grok, reasoning beside the output",
        (
            chunk(THOUGHT),
            BEGIN,
            END,
            STOP,
            event(
                choices=[],
                usage={**COUNTS, "total_tokens": 44, "completion_tokens_details": {"reasoning_tokens": 30}},
            ),
            DONE,
        ),
        first=0,
        counts=TokenCounts(9, 35),
        reasoned=True,
    ),
    Stream(
        "litellm",
        (chunk({**THOUGHT, "thinking_blocks": [{"type": "thinking", "thinking": "hm"}]}), *REST),
        first=0,
        reasoned=True,
    ),
    Stream(
        "reasoning as an object", (chunk({"reasoning": {"content": "hm"}}), *REST), first=0, reasoned=True
    ),
    Stream("reasoning without text", (chunk({"reasoning": {"content": ""}}), *REST)),
    Stream("reasoning parts without text", (chunk({"reasoning_content": [{"text": ""}]}), *REST)),
    Stream("a signature alone", (chunk({"content": [{"type": "thinking", "signature": "a1"}]}), *REST)),
    Stream("one part", (chunk({"content": {"type": "text", "text": ANSWER}}), STOP, USAGE, DONE), first=0),
    Stream("qwen, opened in the prompt", (text("hm\n</th"), text("ink>\n\n"), *REST), first=0, reasoned=True),
    Stream("marks in pieces", (text("<th"), text("ink>hm</"), text("think>"), *REST), first=0, reasoned=True),
    Stream("nothing thought", (text("<think>\n\n</think>\n\n"), *REST), first=0),
    Stream(
        "never closed",
        (text("<think>hm"), chunk({}, "length"), USAGE, DONE),
        answer="",
        first=0,
        finish="length",
        reasoned=True,
    ),
    Stream("an empty object, null and data", (b"data: {}\n\ndata: null\n\ndata:\n\n", *REST)),
    Stream("a ping with a date", (b"event: ping\ndata: 2026-11-26 10:00:00\n\n", *REST)),
    Stream("an end with a name", (ROLE, *REST[:-1], b"event: done\ndata: done\n\n")),
    Stream("a quoted end", (ROLE, *REST[:-1], b'data: "[DONE]"\n\n')),
    Stream("no reason to end", (ROLE, BEGIN, END, DONE), counts=TokenCounts(), finish=None),
    Stream("no end", (ROLE, BEGIN, END, STOP), counts=TokenCounts()),
    Stream("no text", (ROLE, STOP, USAGE, DONE), answer="", first=None),
    Stream("an error without content", (event(error={"code": 0, "message": ""}, choices=[{}]), *REST)),
    Stream(
        "counts as decimals",
        (ROLE, *REST[:3], event(choices=[], usage={k: float(v) for k, v in COUNTS.items()})),
    ),
    Stream("counts by other names", (ROLE, *REST[:3], event(usage={"input_tokens": 9, "output_tokens": 5}))),
    Stream("a byte order mark", (b"\xef\xbb\xbf" + ROLE, *REST)),
    Stream("names and numbers", (b"retry: 10\n\n", *(b"id: 1\nevent: chunk\n" + each for each in REST))),
    Stream("a field that nobody knows", (b"x-trace: 7\n" + ROLE, *REST)),
    Stream("lines ended by CR", tuple(each.replace(b"\n", b"\r") for each in (ROLE, *REST))),
    Stream("lines ended by CRLF", tuple(each.replace(b"\n", b"\r\n") for each in (ROLE, *REST))),
)


def read(events):
    built = StreamedAnswer()
    for at, data in enumerate(events):
        built.feed(float(at), data)
    built.end(99.0)
    return built


@pytest.mark.parametrize("stream", ANSWERS, ids=lambda stream: stream.server)
def test_an_answer_of_each_server_is_read(stream):
    """Its answer without reasoning, the first token, the server's counts and why it ended."""
    built = read(stream.events)
    separated = built.separated()
    assert (built.fault, separated.answer, built.finish_reason) == (None, stream.answer, stream.finish)
    assert next(iter(built.chunk_times), None) == stream.first
    assert built.counts(64) == stream.counts
    assert (built.reasoned_apart or bool(separated.reasoning.strip())) is stream.reasoned


@pytest.mark.parametrize("stream", ANSWERS, ids=lambda stream: stream.server)
def test_the_network_may_cut_it_anywhere(stream):
    """Byte by byte it is the same answer with the same counts."""
    whole = b"".join(stream.events)
    built = read([whole[place : place + 1] for place in range(len(whole))])
    assert (built.fault, built.separated().answer, built.counts(64)) == (None, stream.answer, stream.counts)


def given_up(reason, **fields):
    return (ROLE, BEGIN, chunk({}, reason, **fields), DONE)


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ((event(code=500, msg="boom"), DONE), "boom"),
        ((event(error_code=336, error_msg="boom"), DONE), "boom"),
        ((event(status="error", error_message="boom"), DONE), "boom"),
        ((event(choices=[], message="boom", code=500), DONE), "boom"),
        ((event(choices=[], detail="boom"), DONE), "boom"),
        ((event(error={"code": 500, "msg": "boom"}), DONE), "boom"),
        ((event(error={"error": {"message": "boom"}}), DONE), "boom"),
        ((event(choices=None, base_resp={"status_code": 1008, "status_msg": "boom"}),), "boom"),
        ((b'data: [{"error": {"code": 503, "message": "boom"}}]\n\n',), "boom"),
        ((b'error: {"code": 500, "message": "boom"}\n\n',), "boom"),
        ((event(error={"message": "boom"}),), "boom"),
    ],
)
def test_errors_of_every_shape_fail_the_request(events, said):
    """Text and counts before and an end behind do not make an answer of it, and its message is said."""
    assert read((ROLE, BEGIN, *events)).fault == f"the server reported in the stream: {said}"


@pytest.mark.parametrize(
    ("events", "said"),
    [
        (given_up("error", error={"code": 502, "message": "boom"}), "reported in the stream: boom"),
        (given_up("network_error"), "its finish_reason is network_error"),
        (given_up("insufficient_system_resource"), "its finish_reason is insufficient_system_resource"),
        (given_up("Cancelled"), "its finish_reason is Cancelled"),
        (
            (ROLE, BEGIN, event(choices=[{"finish_reason": "error"}], x_groq={"error": "boom"})),
            "stream: boom",
        ),
    ],
)
def test_an_answer_that_was_given_up_is_no_answer(events, said):
    """Where the server says why, that is the message."""
    assert said in read(events).fault


@pytest.mark.parametrize(
    "number", ["NaN", "Infinity", "-Infinity", "1e999", "-5", "true", '"5"', "5.5", "[5]"]
)
def test_a_count_that_is_no_number_of_tokens_is_not_known(number):
    """What JSON does not have, or tokens cannot be, is named; the counts beside it stay."""
    usage = f'data: {{"usage": {{"prompt_tokens": 9, "completion_tokens": {number}}}}}\n\n'.encode()
    counts = read((ROLE, BEGIN, END, STOP, usage, DONE)).counts(64)
    assert (counts.prompt, counts.output) == (9, None)
    assert "completion_tokens" in counts.impossible
