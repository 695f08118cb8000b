"""`llmopt migrate`: the former JSON configuration as `models.yaml`; the old file is kept as a backup."""

import json
from itertools import count
from pathlib import Path
from typing import Any

import yaml

from llmopt.manifests import OptionInvalid, as_yaml
from llmopt.named_models.entries import ModelsInvalid, parsed
from llmopt.named_models.former_configuration import Converted, converted
from llmopt.named_models.registry import FILE
from llmopt.terminal import Console
from llmopt_core.api.exit_codes import Exit
from llmopt_core.errors.files import file_problem, words_of

FORMER_FILE = "llm_config.json"
_HEADER = (
    "# Models by name: for --model of `llmopt optimize` and others; `llmopt list --type models` shows them.\n"
)


def migrate(file: Path, target: Path = Path(FILE), *, force: bool = False) -> Exit:
    """Convert the JSON configuration `file` into `target`, and print what has no counterpart.

    `force` adds the models to a `target` that is there, of which a backup is kept too.
    """
    console, errors = Console(), Console(stderr=True)
    try:
        found = _read(file)
        text = _HEADER + as_yaml(_together(found, target, force=force))
        backups = [_backup(one) for one in (file, target) if one.exists()]
        target.write_text(text, encoding="utf-8")
    except (OptionInvalid, ModelsInvalid, OSError) as error:
        _say(errors, f"error: {words_of(error)}")
        return Exit.INVALID
    _say(console, f"{target}: {', '.join(found.models)}")
    for line in found.left_out:
        _say(console, f"  left out: {line}")
    _say(console, f"kept as backup: {', '.join(map(str, backups))}")
    _say(console, f"next: llmopt optimize --model {next(iter(found.models))}")
    return Exit.FINISHED


def _read(file: Path) -> Converted:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise OptionInvalid(file_problem(error, file)) from error
    except (json.JSONDecodeError, RecursionError) as error:
        raise OptionInvalid(f"{file}: not JSON: {error}: correct that place") from error
    try:
        return converted(document)
    except OptionInvalid as error:
        raise OptionInvalid("\n".join(f"{file}: {line}" for line in str(error).splitlines())) from error


def _together(found: Converted, target: Path, *, force: bool) -> dict[str, Any]:
    """Return the content of `target` with what was found; raises OptionInvalid."""
    if not target.exists():
        return found.document
    if not force:
        raise OptionInvalid(
            f"{target} is there already: --force adds the models to it and keeps a backup (comments are not"
            " taken over)"
        )
    text = target.read_text(encoding="utf-8")
    there = (yaml.safe_load(text) or {"models": {}})["models"] if parsed(text, target) else {}
    if both := [name for name in found.models if name in there]:
        raise OptionInvalid(
            f"{target} has a model {both[0]!r} already: rename it there, then run the command again"
        )
    return {"models": {**there, **found.models}}


def _backup(file: Path) -> Path:
    """Rename `file` to a name that is free, and return that."""
    names = (file.with_name(f"{file.name}.bak{'' if n == 1 else n}") for n in count(1))
    return file.rename(next(name for name in names if not name.exists()))


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
