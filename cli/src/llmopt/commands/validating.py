"""`llmopt validate`."""

import sys
from collections.abc import Sequence
from pathlib import Path

from llmopt.checking import InputInvalid, cautions_in, checked
from llmopt.terminal import Console
from llmopt_core.api.exit_codes import Exit
from llmopt_core.errors.files import problem_words


def validate_files(names: Sequence[str]) -> Exit:
    """Print the faults of every file; return INVALID when there is one."""
    return Exit.INVALID if sum(_faulty(name) for name in names) else Exit.FINISHED


def read_manifest(name: str) -> tuple[str, str]:
    """Return the text of the file `name` (`-`: standard input) and what to call it; raises OSError."""
    if name == "-":
        return sys.stdin.read(), "<stdin>"
    return Path(name).read_text(encoding="utf-8"), name


def unreadable(name: str, error: OSError | UnicodeDecodeError) -> str:
    """Return why the manifest `name` cannot be read, and what to do."""
    return f"{name}: cannot be read: {problem_words(error)}"


def print_faults(console: Console, error: InputInvalid) -> None:
    """Print one line a fault, as compilers do."""
    for fault in error.faults:
        console.print(str(fault), markup=False, highlight=False, soft_wrap=True)


def _faulty(name: str) -> bool:
    errors = Console(stderr=True)
    try:
        text, source = read_manifest(name)
        resource = checked(text, source)
    except InputInvalid as error:
        print_faults(errors, error)
    except (OSError, UnicodeDecodeError) as error:
        _say(errors, unreadable(name, error))
    else:
        for line in cautions_in(text, source, resource):
            _say(errors, line)
        Console().print(
            f"{source}: valid {resource.kind} {resource.metadata.name}", highlight=False, soft_wrap=True
        )
        return False
    return True


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
