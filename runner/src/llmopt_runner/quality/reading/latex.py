r"""LaTeX as plain text, as far as short answers use it: \frac{1}{2} is 1/2, 2^{10} is 2^10."""

import re
import unicodedata

_MOST_IN_A_GROUP = 400
_DEPTH = 6
_COMMAND = re.compile(r"\\(?P<name>[A-Za-z]+)\*?|\\(?P<mark>.)|(?P<raised>[\^_])\s?\{|[{}]", re.DOTALL)
_NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?")
_DEGREE = re.compile(r"\s?\[(\w{1,3})\]")
_UNSEEN = frozenset({"left", "right", "displaystyle", "big", "Big", "bigg", "Bigg"})
# What sets its argument, spaces and accents: all other names say something. \begin and \end lose theirs.
_TYPESETTING = re.compile(
    r"text\w*|math(?:rm|bf|it|sf|tt|cal|bb|frak|scr|normal|ring)|operatorname|[mhf]box|boxed|emph|bm|bold\w*|q?quad"
    r"|[hv]space|[hv]fill|newline|par|noindent|(?:no)?limits|\w*style|phantom|tag|label|color|underline|over\w+"
    r"|(?:wide)?(?:vec|hat|bar|tilde|dot|ddot)|hline|item|tiny|small|large|Large|huge|sum|begin|end"
)
_ENVIRONMENT = re.compile(r"\{\w+\*?\}")
_GREEK = (
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu",
    "nu", "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega",
)  # fmt: skip
_FRACTIONS = frozenset({"frac", "dfrac", "tfrac", "cfrac", "sfrac", "nicefrac"})
_LETTERS = {"lambda": "lamda"}  # as Unicode spells it
_SYMBOLS = {
    **dict.fromkeys(("times", "cdot", "ast"), "×"),
    **dict.fromkeys(("le", "leq", "leqslant"), "≤"),
    **dict.fromkeys(("ge", "geq", "geqslant"), "≥"),
    **dict.fromkeys(("ne", "neq"), "≠"),
    **dict.fromkeys(("approx", "sim", "simeq"), "≈"),
    **dict.fromkeys(("to", "rightarrow", "Rightarrow", "implies", "longrightarrow"), "→"),
    **dict.fromkeys(("dots", "ldots", "cdots"), "…"),
    **dict.fromkeys(("circ", "degree"), "°"),
    **{name: unicodedata.lookup(f"GREEK SMALL LETTER {_LETTERS.get(name, name)}") for name in _GREEK},
    **{
        f"var{name}": unicodedata.lookup(f"GREEK SMALL LETTER {name}") for name in ("epsilon", "phi", "theta")
    },
    **{
        name.capitalize(): unicodedata.lookup(f"GREEK CAPITAL LETTER {_LETTERS.get(name, name)}")
        for name in ("gamma", "delta", "theta", "lambda", "xi", "pi", "sigma", "phi", "psi", "omega")
    },
    **dict.fromkeys(("land", "wedge"), "∧"),
    **dict.fromkeys(("lor", "vee"), "\N{LOGICAL OR}"),
    **dict.fromkeys(("neg", "lnot"), "¬"),
    **dict.fromkeys(("emptyset", "varnothing"), "∅"),
    "cup": "\N{UNION}",
    "cap": "∩",
    "in": "∈",
    "subset": "⊂",
    "angle": "∠",
    "triangle": "△",
    "mid": "|",
    "prime": "'",
    "div": "÷",
    "pm": "±",
    "lt": "<",
    "gt": ">",
    "infty": "∞",
    "therefore": " therefore ",
    "lbrace": "{",
    "rbrace": "}",
}
_MARKS = {"\\": "\n", "%": "%", "$": "$", "#": "#", "&": "&", "_": "_", "{": "{", "}": "}", ",": "", "!": ""}


def plain_latex(text: str, depth: int = _DEPTH) -> str:
    r"""Return `text` with LaTeX written out; text without a backslash or braces comes back as it is.

    A fraction of two numbers becomes `a/b`, any other `(a)/(b)`; a root `√(a)`. Commands of typesetting go,
    what they set stays; of other commands, such as \log, the name stays.
    Groups longer than 400 characters and deeper than six levels only lose their marks.
    """
    if "\\" not in text and "{" not in text:
        return text
    written: list[str] = []
    at = 0
    while found := _COMMAND.search(text, at):
        written.append(text[at : found.start()])
        replacement, at = _replaced(text, found, depth)
        # A digit before a fraction makes a mixed number: 1\frac{1}{2} is 1 1/2.
        mixed = found["name"] in _FRACTIONS and found.start() and text[found.start() - 1].isalnum()
        written.append(f" {replacement}" if mixed else replacement)
    written.append(text[at:])
    return "".join(written).replace("^°", "°")


def group(text: str, at: int, most: int = _MOST_IN_A_GROUP) -> tuple[str, int] | None:
    """Return what the braces that open at `at` hold, and where they end; None where they do not close."""
    if text[at : at + 1] != "{":
        return None
    depth = 0
    for place in range(at, min(len(text), at + most)):
        character = text[place]
        if character in "{}" and text[place - 1 : place] != "\\":
            depth += 1 if character == "{" else -1
        if depth == 0:
            return text[at + 1 : place], place + 1
    return None


def _replaced(text: str, found: re.Match[str], depth: int) -> tuple[str, int]:
    """Return what stands for the command that was `found`, and where reading goes on."""
    if found["raised"]:
        return _raised(text, found, depth)
    if found["mark"] is not None:
        return _MARKS.get(found["mark"], " "), found.end()
    name = found["name"]
    if name in _FRACTIONS and depth:
        return _fraction(text, found.end(), depth)
    if name == "sqrt" and depth:
        return _root(text, found.end(), depth)
    if name is None or name in _UNSEEN:
        return "", found.end()
    return _named(text, name, found)


def _named(text: str, name: str, found: re.Match[str]) -> tuple[str, int]:
    """Return the symbol or the name of a command; nothing of one that sets type."""
    if name in _SYMBOLS:
        return _SYMBOLS[name], found.end()
    if _TYPESETTING.fullmatch(name) is None:
        return f"{' ' if text[: found.start()][-1:].isalnum() else ''}{name} ", found.end()
    environment = _ENVIRONMENT.match(text, found.end()) if name in {"begin", "end"} else None
    return " ", environment.end() if environment else found.end()


def _raised(text: str, found: re.Match[str], depth: int) -> tuple[str, int]:
    inner = group(text, found.end() - 1) if depth else None
    if inner is None:
        return found["raised"], found.end()
    content = plain_latex(inner[0], depth - 1).strip()
    if content == "°":
        return content, inner[1]
    return found["raised"] + (content if content.isalnum() else f"({content})"), inner[1]


def _argument(text: str, at: int, depth: int) -> tuple[str, int] | None:
    """Return a command's argument, a group or the one character that follows, and where it ends."""
    if text[at : at + 1] == " ":
        at += 1
    inner = group(text, at)
    if inner is not None:
        return plain_latex(inner[0], depth - 1).strip(), inner[1]
    return (text[at], at + 1) if text[at : at + 1].isalnum() else None


def _fraction(text: str, at: int, depth: int) -> tuple[str, int]:
    over = _argument(text, at, depth)
    under = _argument(text, over[1], depth) if over else None
    if over is None or under is None:
        return " ", at
    if _NUMBER.fullmatch(over[0]) and _NUMBER.fullmatch(under[0]):
        return f"{over[0]}/{under[0]}", under[1]
    return f"({over[0]})/({under[0]})", under[1]


def _root(text: str, at: int, depth: int) -> tuple[str, int]:
    degree = _DEGREE.match(text, at)
    inner = _argument(text, degree.end() if degree else at, depth)
    if inner is None:
        return "√", at
    return f"{degree[1] if degree else ''}√({inner[0]})", inner[1]
