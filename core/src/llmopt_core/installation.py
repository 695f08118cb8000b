"""How an extra of llmopt is installed beside the llmopt that runs, wherever that one came from."""

import json
import shlex
from importlib import metadata
from pathlib import Path
from urllib.parse import unquote, urlsplit

_PROJECT = "llmopt"
# What pip and uv record of an installation from a folder or a file (PEP 610).
_RECORD = "direct_url.json"


def install_command(extra: str) -> str:
    """Return what a person types to install `extra` beside this llmopt.

    It names the clone or the wheel that this llmopt was installed from, so that it works in every folder, and
    for another environment as well. Where neither is known or exists any more, it is the command of a clone.
    llmopt is on no package index: its bare name would install nothing, or a package of somebody else.
    """
    try:
        record = metadata.distribution(_PROJECT).read_text(_RECORD)
    except metadata.PackageNotFoundError:
        record = None
    return command_of(record, extra)


def command_of(record: str | None, extra: str) -> str:
    """Return the command for an installation that left `record`, None where it left none."""
    origin = json.loads(record) if record else {}
    address = urlsplit(origin.get("url", ""))
    source = Path(unquote(address.path))
    if address.scheme != "file" or not source.exists():
        return f"pip install '.[{extra}]' in a clone of {_PROJECT}"
    editable = "-e " if origin.get("dir_info", {}).get("editable") else ""
    return f"pip install {editable}{shlex.quote(f'{source}[{extra}]')}"
