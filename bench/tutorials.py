"""A tutorial as a new user follows it: a fresh clone, an empty home folder, each of its commands timed.

Every shell block of the page is run in the order of the page, in one clone of this repository, as it is
committed. Nothing of this user's caches is found.

    python bench/tutorials.py [PAGE.md ...] [--output FILE.md]
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from surfaces.tables import table

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from documentation.pages import ROOT, Block, blocks

PAGES = ("docs/tutorials/laptop.md", "docs/ko/tutorial.md")
_SHELLS = {"console", "bash"}
# What would lead a fresh clone to something that this user has already.
_FOREIGN = ("XDG_CACHE_HOME", "UV_CACHE_DIR", "PIP_CACHE_DIR", "VIRTUAL_ENV")


@dataclass(frozen=True)
class Step:
    """One command of a page: how long it took and how it ended."""

    page: str
    command: str
    seconds: float
    code: int


def main() -> int:
    """Follow each page, and write the table; 1 where a command failed."""
    asked = _arguments()
    steps = [step for page in asked.pages for step in followed(ROOT / page)]
    text = report(steps)
    print(text)
    if asked.output is not None:
        asked.output.write_text(text, encoding="utf-8")
    return int(any(step.code for step in steps))


def followed(page: Path) -> Iterator[Step]:
    """Run the commands of `page`, each after those before it, in a clone and a home of their own."""
    with tempfile.TemporaryDirectory() as folder:
        home, clone = Path(folder) / "home", Path(folder) / "llmopt"
        home.mkdir()
        subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
        environment = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
        exports: list[str] = []
        for block in blocks(page):
            if block.language not in _SHELLS or block.foreign:
                continue
            for command in _commands(block):
                yield _run(block.page, command, exports, clone, {**environment, "HOME": str(home)})
                exports += [command] if command.startswith("export ") else []


def _commands(block: Block) -> tuple[str, ...]:
    return block.commands if block.language == "console" else (block.text,)


def _run(page: str, command: str, exports: list[str], clone: Path, environment: dict[str, str]) -> Step:
    print(f"$ {command}", file=sys.stderr)
    began = time.monotonic()
    script = "\n".join((*exports, command))
    done = subprocess.run(["bash", "-c", script], cwd=clone, env=environment, stdout=sys.stderr, check=False)
    return Step(page, command, time.monotonic() - began, done.returncode)


def report(steps: list[Step]) -> str:
    """Return the text: the minutes of each page, and a line for each command."""
    rows = [
        [
            step.page,
            f"`{_shown(step.command)}`",
            f"{step.seconds:.1f}",
            "" if step.code == 0 else str(step.code),
        ]
        for step in steps
    ]
    pages = dict.fromkeys(step.page for step in steps)
    minutes = {page: sum(step.seconds for step in steps if step.page == page) / 60 for page in pages}
    sums = "; ".join(f"{page} {spent:.1f} minutes" for page, spent in minutes.items())
    return (
        "# Tutorials, followed by a program\n\n"
        "By `bench/tutorials.py`: a fresh clone and an empty home folder for each page, a package index"
        f" nearby. Time of the commands alone, without reading: {sums}.\n\n"
        f"{table(['page', 'command', 'seconds', 'exit code'], rows)}\n"
    )


def _shown(command: str) -> str:
    first, *more = command.strip().splitlines()
    return f"{first} …" if more else first.replace("|", "/")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pages", nargs="*", default=PAGES)
    parser.add_argument("--output", type=Path, metavar="FILE.md")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
