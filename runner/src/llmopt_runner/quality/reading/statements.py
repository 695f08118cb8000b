"""Which part of an answer states it: what is boxed, tagged or announced counts for more than the working."""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from llmopt_runner.quality.reading.latex import group
from llmopt_runner.quality.reading.typography import shortened, typed_plainly, without_markdown

_MOST_BOXED = 2_000
_LONGEST = 400
_LOOK_BACK = 60
# An answer that announces itself more often says nothing new.
_MOST_OF_A_KIND = 6
_BOX = re.compile(r"\\(?:boxed|fbox)\s*(?=\{)|\\boxed\s+(?P<bare>[-\w.]+)")
_TAG = re.compile(r"[<\[](?P<end>/?)(?:final[_ -]?)?(?:answer|정답)[>\]]", re.IGNORECASE)
_FIELD = re.compile(
    r"[\"'](?:final[_ ]?)?(?:answer|정답)[\"']\s*:\s*(?:[\"'](?P<text>[^\"\n]*?)[\"']"
    r"|(?P<bare>[^\s,}\"']+))\s*[,}]",
    re.IGNORECASE,
)
# GSM8K's mark of the final answer; a heading of the fourth level looks the same and says more.
_HASHES = re.compile(r"^[ \t]*####[ \t]*(?P<text>[^\n#]+)$", re.MULTILINE)
_BOLD = re.compile(r"\*\*(?!\s)(?P<text>[^*\n]{1,80}?)\*\*|__(?!\s)(?P<other>[^_\n]{1,80}?)__")
_WHAT = r"(?:answer|ans|solution|choice|option|response)"
_ANNOUNCED = re.compile(
    rf"\b{_WHAT}(?:[ ](?:to|for|of)[ ][^.\n:=]{{1,80}}?)?"
    r"[ ]?(?:(?:is|are|'s|was|would be|will be|must be|should be|has to be|=>|="
    r"|→)(?![\w'])(?![ ]?(?:not|n't)\b)"
    r"|:)[ ]?(?:therefore|thus|simply|just|clearly|indeed|now|hence)?[,:]?"
    r"|\bi(?:'d|[ ]would|[ ]will|'ll)?[ ](?:choose|chose|pick|select|go with)\b[: ]"
    r"|(?:答案|正解|答え|正确选项)[ ]?(?:应该|應該)?(?:是|为|為|は|:)(?![ ]?(?:不|非))"
    r"|(?:정답|해답|대답|답변|(?<![가-힣])답)(?:[ ]?(?:은|는|:|=|→|이란)(?!\d*[가-힣]*[ ]?아니(?![요오]))"
    r"|[ ]+(?=\(?[\dA-Ja-j가-하]\)?(?:번|[\s.]|$)))",
    re.IGNORECASE,
)
_HEADING = re.compile(
    r"^[^\w\n]{0,8}(?:the[ ])?(?:(?:final|correct|short)[ ])?(?:answer|정답|답|최종 답)[^\w\n]{0,8}\n\s*",
    re.IGNORECASE | re.MULTILINE,
)
_CONCLUSION = re.compile(
    r"(?:^|(?<=[\s(\"']))(?:so|therefore|thus|hence|consequently|accordingly|in conclusion|in summary"
    r"|overall|finally"
    r"|ultimately|wait|actually|correction|on second thought|scratch that|따라서|그러므로|그래서"
    r"|그러니까|결국|즉|결론적으로"
    r"|다시 생각해 ?보니|다시 보니|잠깐만?)(?![\w])[,:]?",
    re.IGNORECASE,
)
# What is looked for is not announced: to find the answer, steps to the solution.
_SOUGHT = re.compile(
    r"\b(?:to|let's|let us|now|we|by|how|can) ?(?:\w+ )?"
    r"(?:find|get|reach|determine|calculate|compute|work out|solve for|figure out|arrive at)(?:ing)? "
    r"(?:the |our |an )?(?:(?:final|correct|right|total) )?$"
    r"|\bsteps? (?:to|for|towards) (?:the |our )?$",
    re.IGNORECASE,
)
# A word that stands above an answer and says nothing of it: Solution:, Answer: and a heading.
_STANDS_ABOVE = re.compile(r"[^\n]{0,100}?(?::|\n)\s*$")
_COPULA = re.compile(r"\b(?:is|are|was|be|i|i'd|i'll)\b|'s\b|=|→|[은는是为為は]", re.IGNORECASE)
_STEPS = re.compile(
    r"(?:\(?1[.)]\s|(?:step|단계) ?1\b|1단계)[^\n]*\n(?:[^\n]*\n){0,6}?"
    r"[ \t]*(?:\(?2[.)]\s|(?:step|단계) ?2\b|2단계)",
    re.IGNORECASE,
)
_GOES_ON = re.compile(rf"{_CONCLUSION.pattern}|=\s?[$₩]?\d", re.IGNORECASE)
# What begins so speaks of an answer that was given already.
_EXPLAINS = re.compile(
    r"\W*(?:(?:the |an? |my )?(?:explanation|reason(?:ing)?|because|since|justification|working|why|how)\b"
    r"|here(?:'s| is) (?:why|how|the (?:explanation|reason\w*|working))|해설|설명|풀이|이유|왜냐)",
    re.IGNORECASE,
)
_LONGEST_BARE_ANSWER = 3
_QUESTION = re.compile(r"(?:^|(?<=[.!?\n]))[^.!?\n]{1,200}\?")
_END = re.compile(r"[.!?。](?=[\s\"')\]]|$)|\n|;")
# What was asked of oneself and turned down: The answer is C? Wait, no, B.
_TURNED_DOWN = re.compile(r"\?+[\s.…]*(?:no|wait|hmm+|actually|아니)\b", re.IGNORECASE)
_REASON = re.compile(
    r"[,]?[ ](?:because|since|as it|as the|given that|due to|although|though|whereas|while|which"
    r"|where)\b|왜냐하면",
    re.IGNORECASE,
)


class Strength(Enum):
    """How a statement was marked; `WHOLE` ones must be an answer as they stand, not hold one."""

    MARKED = "boxed or tagged"
    WHOLE = "after four hashes, or bold"
    ANNOUNCED = "after words that announce an answer"
    CONCLUDED = "after words that conclude"


@dataclass(frozen=True)
class Statement:
    """A part of an answer that states it, in plain typography without markdown.

    `text` ends with the sentence, or where its reason begins; `line` is the whole line; `at` is where it
    stands in the reading's text, if it was taken from there.
    """

    text: str
    line: str
    strength: Strength
    at: int = 0


@dataclass(frozen=True)
class Reading:
    """An answer in plain typography: whole, and its statements, the one that counts most first."""

    text: str
    marked: tuple[Statement, ...]
    announced: tuple[Statement, ...]
    bold: tuple[Statement, ...]
    concluded: tuple[Statement, ...]

    @property
    def statements(self) -> tuple[Statement, ...]:
        """What is marked, then announced, then bold; of each the last one first."""
        return (*self.marked, *self.announced, *self.bold)


def read(answer: str) -> Reading:
    """Return `answer` in plain typography with what states it; an answer of any length takes bounded time."""
    raw = shortened(answer)
    # A character may be written out as several: ① as (1).
    typed = shortened(typed_plainly(raw))
    text = without_markdown(typed).strip()
    return Reading(
        text,
        tuple(_marked(raw, typed)),
        tuple(_after(_ANNOUNCED, text, Strength.ANNOUNCED))
        + tuple(_after(_HEADING, text, Strength.ANNOUNCED)),
        tuple(_bold(typed)),
        tuple(_after(_CONCLUSION, text, Strength.CONCLUDED)),
    )


def sentence(text: str) -> str:
    """Return the beginning of `text` up to the end of its sentence or to its reason."""
    text = text.lstrip()[:_LONGEST]
    end = _END.search(text)
    text = text[: end.start()] if end else text
    reason = _REASON.search(text)
    return (text[: reason.start()] if reason else text).strip()


def without_reasons(text: str) -> str:
    """Return `text` without questions and reasons: what they speak of is not the answer."""
    parts: list[str] = []
    at = 0
    text = _QUESTION.sub("", text)
    while reason := _REASON.search(text, at):
        parts.append(text[at : reason.start()])
        end = _END.search(text, reason.end())
        at = end.start() if end else len(text)
    return "".join((*parts, text[at:]))


def _marked(raw: str, typed: str) -> Iterator[Statement]:
    for content in (_boxed(raw), _tagged(raw), _field(raw)):
        if content is not None and content.strip():
            text = without_markdown(typed_plainly(content)).strip()
            yield Statement(text, text, Strength.MARKED)
    *_, last = (None, *_HASHES.finditer(typed))
    if last is not None:
        text = without_markdown(last["text"]).strip()
        yield Statement(text, text, Strength.WHOLE)


def _boxed(raw: str) -> str | None:
    *_, last = (None, *_BOX.finditer(raw))
    if last is None:
        return None
    if last["bare"]:
        return last["bare"]
    inner = group(raw, last.end(), _MOST_BOXED)
    return inner[0] if inner else None


def _tagged(raw: str) -> str | None:
    tags = list(_TAG.finditer(raw))
    opened = [place for place, tag in enumerate(tags) if not tag["end"]]
    if not opened:
        return None
    first, following = tags[opened[-1]], tags[opened[-1] + 1 :]
    return raw[first.end() : following[0].start() if following else len(raw)][:_MOST_BOXED]


def _field(raw: str) -> str | None:
    found = _last_ones(_FIELD, raw)
    return found[0]["text"] or found[0]["bare"] if found else None


def _bold(typed: str) -> Iterator[Statement]:
    """Yield what is bold in the first and the last paragraph, where answers stand; between them are steps."""
    first, *middle = typed.strip().split("\n\n")
    ends = f"{first}\n{middle[-1]}" if middle else first
    for found in _last_ones(_BOLD, ends):
        text = without_markdown(found["text"] or found["other"]).strip()
        yield Statement(text, text, Strength.WHOLE)


def _after(mark: re.Pattern[str], text: str, strength: Strength) -> Iterator[Statement]:
    for found in _last_ones(mark, text):
        rest = text[found.end() : found.end() + _LONGEST].lstrip()
        stated = sentence(rest)
        if stated and not _TURNED_DOWN.match(rest, len(stated)) and not _is_above_working(text, found):
            yield Statement(stated, rest.partition("\n")[0].strip(), strength, found.end())


def _is_above_working(text: str, found: re.Match[str]) -> bool:
    """Say whether `found`, words that announce an answer, stand before its working, which states it later.

    `Answer: She has 9 eggs. So she makes 18 dollars.` begins with the word, but 9 is not the answer.
    """
    if _SOUGHT.search(text[max(0, found.start() - _LOOK_BACK) : found.start()]):
        return True
    if not _STANDS_ABOVE.match(found[0]) or _COPULA.search(found[0]):
        return False
    after = text[found.end() :].lstrip()
    if _STEPS.match(after):
        return True
    stated = sentence(after)
    if len(stated.split()) <= _LONGEST_BARE_ANSWER or _EXPLAINS.match(after, len(stated)):
        return False
    return _GOES_ON.search(after, len(stated)) is not None


def _last_ones(mark: re.Pattern[str], text: str) -> list[re.Match[str]]:
    return list(deque(mark.finditer(text), maxlen=_MOST_OF_A_KIND))[::-1]
