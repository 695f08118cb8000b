"""`llmopt validate`."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmopt.json_output import print_json
from llmopt.manifest_checks import InputInvalid, all_checked, cautions_in, missing_in
from llmopt.terminal import Console
from llmopt_core.api.exit_codes import Exit
from llmopt_core.errors.files import problem_words
from llmopt_core.resources import Resource
from llmopt_core.resources.validation import FileFault


@dataclass(frozen=True)
class Checked:
    """What was found: a resource and warnings, or the faults of a file, or why it cannot be read."""

    source: str
    resource: Resource | None = None
    faults: tuple[FileFault, ...] = ()
    cautions: tuple[str, ...] = ()
    unreadable: str = ""

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        found = self.resource
        return {
            "file": self.source,
            "valid": found is not None,
            "kind": found.kind if found else None,
            "name": found.metadata.name if found else None,
            "faults": [_as_document(each) for each in self.faults],
            "warnings": list(self.cautions),
            "problem": self.unreadable or None,
        }


def validate_files(names: Sequence[str], *, as_json: bool = False) -> Exit:
    """Print the faults of every file, as lines or as JSON; return INVALID when there is one."""
    found = [each for name in names for each in _checked(name)]
    if as_json:
        print_json([each.document() for each in found])
    else:
        for each in found:
            _print(each)
    return Exit.FINISHED if all(each.resource for each in found) else Exit.INVALID


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


def _checked(name: str) -> tuple[Checked, ...]:
    """Return what was found in the file `name`, for each of its resources, or at once where it is faulty."""
    try:
        text, source = read_manifest(name)
    except (OSError, UnicodeDecodeError) as error:
        return (Checked(name, unreadable=unreadable(name, error)),)
    try:
        resources = all_checked(text, source)
    except InputInvalid as error:
        return (Checked(source, faults=error.faults),)
    return tuple(
        Checked(
            source,
            resource,
            cautions=(
                *cautions_in(text, source, resource, place),
                *missing_in(text, source, resource, place),
            ),
        )
        for place, resource in enumerate(resources)
    )


def _print(found: Checked) -> None:
    errors = Console(stderr=True)
    unreadable = f"error: {found.unreadable}" if found.unreadable else ""
    for line in (*map(str, found.faults), unreadable, *found.cautions):
        if line:
            _say(errors, line)
    if found.resource is not None:
        _say(Console(), f"{found.source}: valid {found.resource.kind} {found.resource.metadata.name}")


def _as_document(one: FileFault) -> dict[str, Any]:
    fault = one.fault
    value = fault.value if isinstance(fault.value, str | int | float | bool) else None
    return {
        "line": one.line,
        "path": fault.path,
        "value": value,
        "expected": fault.expected,
        "suggestion": fault.suggestion,
    }


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
