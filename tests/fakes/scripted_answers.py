"""What the fake server answers and when: all drawn from the seed, before the first byte goes out."""

import json
import random
import re
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Any, NamedTuple


@dataclass(frozen=True)
class FakeOptions:
    """How the fake behaves; latencies are uniform from the value to the value plus its jitter.

    `answers` maps a text that the question contains to the right answer, given with the probability
    `right_probability - right_loss_per_temperature x temperature`. `faults` maps the number of a request
    (from 1, or `*` for all) to `status=N`, `drop` (half the answer, then the connection), `truncate` (the
    same, in an orderly end), `hang`, `sse_error`, `garbage` or `json` (no stream at all). `slots` 0 means
    that no request waits for another. With `fixes_length` it takes `ignore_eos` and `min_tokens`. With
    `keeps` `responses` a prompt that it has answered before is answered 20 times as fast, with `prefixes` its
    first token comes sooner by the share of the prompt that began an earlier one; neither is reported.
    """

    seed: int = 0
    model: str = "fake-model"
    ttft_ms: float = 20.0
    ttft_jitter_ms: float = 0.0
    gap_ms: float = 5.0
    gap_jitter_ms: float = 0.0
    usage_delay_ms: float = 0.0
    tokens: int = 16
    tokens_jitter: int = 0
    tokens_per_chunk: int = 1
    reasoning_tokens: int = 0
    cached_tokens: int = 0
    keeps: str = ""
    slots: int = 0
    role_chunk: bool = True
    usage: bool = True
    fixes_length: bool = True
    answers: dict[str, str] = field(default_factory=dict)
    right_probability: float = 1.0
    right_loss_per_temperature: float = 0.0
    faults: dict[str, str] = field(default_factory=dict)


class Piece(NamedTuple):
    """One chunk with text: when, in seconds from the request's start in its slot, and what."""

    at: float
    text: str
    tokens: int
    reasoning: bool


@dataclass(frozen=True)
class Script:
    """One answer, decided."""

    number: int
    question: str
    fault: str | None
    pieces: tuple[Piece, ...]
    finish_reason: str
    prompt_tokens: int

    @property
    def output_tokens(self) -> int:
        return sum(piece.tokens for piece in self.pieces)

    @property
    def text(self) -> str:
        return "".join(piece.text for piece in self.pieces if not piece.reasoning)


class Memory:
    """What a server that keeps prompts or answers has of earlier requests."""

    def __init__(self, keeps: str) -> None:
        self._keeps = keeps
        self._prompts: list[str] = []

    def hurry(self, options: FakeOptions, body: dict[str, Any]) -> FakeOptions:
        """Return the latencies of this request, and keep its prompt."""
        if not self._keeps:
            return options
        prompt = json.dumps(body["messages"])
        known = max((_common(prompt, other) for other in self._prompts), default=0)
        self._prompts.append(prompt)
        if self._keeps == "prefixes":
            return replace(options, ttft_ms=options.ttft_ms * max(0.05, 1 - known / len(prompt)))
        if known < len(prompt):
            return options
        return replace(options, ttft_ms=options.ttft_ms / 20, gap_ms=options.gap_ms / 20)


def _common(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (left, right) in pairs if left != right), min(len(one), len(other)))


def write_script(options: FakeOptions, number: int, body: dict[str, Any]) -> Script:
    """Return the answer to the request `number` (from 1) with the JSON body `body`."""
    asked = [_plain(message["content"]) for message in body["messages"]]
    tokens = [f"think{i} " for i in range(options.reasoning_tokens)] + _answer(
        options, number, asked[-1], body
    )
    limit = int(body.get("max_tokens") or body.get("max_completion_tokens") or 1_000_000)
    if options.fixes_length:
        least = limit if body.get("ignore_eos") else int(body.get("min_tokens") or 0)
        tokens += [f" more{place}" for place in range(len(tokens), least)]
    return Script(
        number=number,
        question=asked[-1],
        fault=options.faults.get(str(number), options.faults.get("*")),
        pieces=_pieces(options, number, tokens[:limit]),
        finish_reason="length" if len(tokens) > limit else "stop",
        prompt_tokens=sum(len(text.split()) for text in asked),
    )


def _pieces(options: FakeOptions, number: int, tokens: list[str]) -> tuple[Piece, ...]:
    size = options.tokens_per_chunk
    starts = [
        start
        for low, high in ((0, options.reasoning_tokens), (options.reasoning_tokens, len(tokens)))
        for start in range(low, min(high, len(tokens)), size)
    ]
    generator = random.Random(f"{options.seed}:{number}")
    waits = [options.ttft_ms + generator.random() * options.ttft_jitter_ms]
    waits += [options.gap_ms + generator.random() * options.gap_jitter_ms for _ in starts[1:]]
    ends = [*starts[1:], len(tokens)]
    return tuple(
        Piece(at / 1000, "".join(tokens[start:end]), end - start, start < options.reasoning_tokens)
        for start, end, at in zip(starts, ends, accumulate(waits), strict=False)
    )


def _plain(content: str | list[dict[str, str]]) -> str:
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def _answer(options: FakeOptions, number: int, question: str, body: dict[str, Any]) -> list[str]:
    for known, answer in options.answers.items():
        if known in question:
            right = _draws_right(options, question, body)
            return re.findall(r"\s*\S+", answer if right else _wrong(answer))
    more = random.Random(f"{options.seed}:{number}:tokens").randint(0, options.tokens_jitter)
    return [f"t{i} " for i in range(options.tokens + more)]


def _draws_right(options: FakeOptions, question: str, body: dict[str, Any]) -> bool:
    temperature = float(body.get("temperature") or 0.0)
    probability = options.right_probability - options.right_loss_per_temperature * temperature
    draw = json.dumps([options.seed, question, temperature, body.get("seed")])
    return random.Random(draw).random() < probability


def _wrong(answer: str) -> str:
    """Return a wrong answer of the same form: every whole number is one too high."""
    wrong = re.sub(r"-?\d+", lambda number: str(int(number[0]) + 1), answer)
    return wrong if wrong != answer else f"not {answer}"
