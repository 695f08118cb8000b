"""The programs of the test cluster under the names that a person types."""

from pathlib import Path

from cluster.control_plane import component
from cluster.programs import built


def commands(folder: Path) -> Path:
    """Make `folder` with `kubectl` and `helm`, to be put on a PATH; return it."""
    folder.mkdir()
    for name, command in {"kubectl": component("kubectl"), "helm": (str(built("helm")),)}.items():
        program = folder / name
        program.write_text(f'#!/bin/sh\nexec {" ".join(command)} "$@"\n')
        program.chmod(0o755)
    return folder
