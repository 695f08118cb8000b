"""What a person meant who typed a command or an option that there is not, as it is typed here."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

# Commands of other tools, and things that are listed, by what is typed here.
MEANT: Mapping[str, str] = MappingProxyType(
    {
        "bench": "benchmark",
        "check": "validate",
        "datasets": "list --type datasets",
        "delete": "clean",
        "deploy": "export",
        "describe": "get",
        "diff": "compare",
        "doctor": "status",
        "engines": "list --type engines",
        "errors": "list --type errors",
        "help": "--help",
        "info": "status",
        "lint": "validate",
        "ls": "list",
        "measure": "benchmark",
        "metrics": "list --type metrics",
        "models": "list --type models",
        "new": "init",
        "ps": "status",
        "remove": "clean",
        "results": "list",
        "resume": "run",
        "rm": "clean",
        "search": "optimize",
        "show": "report",
        "start": "run",
        "studies": "list",
        "submit": "apply",
        "tune": "optimize",
        "version": "--version",
    }
)
_ENDS_OPTIONS = "--"
_OF_MANIFESTS = frozenset({"run", "validate", "apply"})


def command_meant(name: str) -> str | None:
    """Return what to type in place of the command `name`; None where that is not known."""
    return MEANT.get(name)


def misused(command: Any, arguments: Sequence[str]) -> str | None:
    """Return what is wrong with `arguments` of `command` that its parser would not say; None: nothing is.

    Of an option that is given twice it takes the last one, and a value in the place of an option it would
    report as an option that is missing.
    """
    if twice := next(_given_twice(command, arguments), None):
        return f"{twice} is given twice: give it once"
    takes_words = any(each.param_type_name == "argument" for each in command.params)
    if takes_words or not arguments or arguments[0].startswith("-"):
        return None
    options = [option for each in command.params for option in each.opts]
    wanted = next((option for option in ("--model", "--type") if option in options), None)
    return wanted and f"{arguments[0]!r}: give it as {wanted} {arguments[0]}"


def _given_twice(command: Any, arguments: Sequence[str]) -> Iterator[str]:
    before = arguments[: arguments.index(_ENDS_OPTIONS)] if _ENDS_OPTIONS in arguments else arguments
    names = [each.partition("=")[0] for each in before if each.startswith("--")]
    for option in command.params:
        takes_one = option.param_type_name == "option" and not option.multiple and not option.is_flag
        if takes_one and sum(names.count(each) for each in option.opts) > 1:
            yield option.opts[0]


def option_meant(command: str, option: str) -> str | None:
    """Return what to do in place of giving `command` the `option`, which it has not; None: not known."""
    if option in {"-v", "-V"}:
        return "give --version"
    if command == "compare" and option == "--model":
        return "name all models behind one option: --models A B"
    if command not in _OF_MANIFESTS:
        return None
    from llmopt.manifests.option_faults import field_of  # noqa: PLC0415 - loads pydantic

    field = field_of(option)
    return field and f"the manifest decides it: edit {field}"
