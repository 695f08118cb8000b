"""The pages that readers see, and what is in their code blocks."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Dated records of decisions: they say what was so when they were written.
_RECORDS = ROOT / "docs/design"
_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class Block:
    """One code block of a page: its language, its title (a file's name, or ""), and whether it is marked.

    To be run on this machine, to be run in a cluster, or as another program's.
    """

    page: str
    line: int
    language: str
    title: str
    run: bool
    cluster: bool
    foreign: bool
    text: str

    @property
    def where(self) -> str:
        """Page and line, as a test shows them."""
        return f"{self.page}:{self.line}"

    @property
    def commands(self) -> tuple[str, ...]:
        """The shell commands, continued lines joined; of a console only the lines behind a prompt."""
        joined = self.text.replace("\\\n", " ")
        lines = joined.splitlines()
        if self.language == "console":
            return tuple(line.removeprefix("$ ") for line in lines if line.startswith("$ "))
        return tuple(line for line in lines if line and not line.startswith(("#", " ")))

    @property
    def typed(self) -> tuple[str, ...]:
        """The commands without comments, and with one blank between words that were on two lines."""
        return tuple(re.sub(r" {2,}(?:#.*)?|\s#\s.*", " ", each).strip() for each in self.commands)

    @property
    def script(self) -> str:
        """What a shell runs."""
        return "\n".join(self.commands) if self.language == "console" else self.text


def pages() -> tuple[Path, ...]:
    """Return the pages: the README in both languages, and all of docs but the dated records."""
    documents = (path for path in ROOT.glob("docs/**/*.md") if _RECORDS not in path.parents)
    return (ROOT / "README.md", ROOT / "README.ko.md", *sorted(documents))


def blocks(path: Path) -> Iterator[Block]:
    """Yield the code blocks of a page."""
    text = path.read_text(encoding="utf-8")
    for found in _FENCE.finditer(text):
        info, _, title = found["info"].strip(" {}").partition("title=")
        words = info.replace(".", " ").split()
        yield Block(
            page=str(path.relative_to(ROOT)),
            line=text.count("\n", 0, found.start()) + 1,
            language=words[0] if words else "",
            title=title.strip('" '),
            run="run" in words[1:],
            cluster="cluster" in words[1:],
            foreign="foreign" in words[1:],
            text=found["text"],
        )


def not_run() -> dict[str, str]:
    """Return the commands that no test of the pages runs, each with its reason."""
    reason, found = "", {}
    for line in (ROOT / "tests/documentation/not_run.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            reason = line.removeprefix("# ")
        elif line:
            found[line] = reason
    return found


def shell_words(command: str) -> list[str]:
    """Return the words of the first program that `command` starts, without comment, variables and pipes."""
    words = shlex.split(command, comments=True)
    ends = [at for at, word in enumerate(words) if word in {"|", "&&", ">", "2>&1", ";"}]
    words = words[: min(ends, default=len(words))]
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        del words[0]
    return words
