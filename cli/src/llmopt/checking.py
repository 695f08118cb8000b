"""A manifest that is a text (of a file, standard input or options), checked like a file."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from llmopt_core.errors.classes import LlmoptError
from llmopt_core.resources import Resource, load_manifest
from llmopt_core.resources.validation import FileFault, validate_file


class InputInvalid(LlmoptError):
    """What was given cannot be used; `faults` say where and what to do."""

    def __init__(self, faults: tuple[FileFault, ...]) -> None:
        self.faults = faults
        super().__init__("\n".join(str(fault) for fault in faults))


def checked(text: str, source: str) -> Resource:
    """Return the valid resource in the YAML `text` called `source`; raises InputInvalid with all faults."""
    if faults := faults_of(text, source):
        raise InputInvalid(faults)
    return load_manifest(text)


def faults_of(text: str, source: str) -> tuple[FileFault, ...]:
    """Return the faults of the YAML `text`, by line, as those of a file called `source`."""
    with TemporaryDirectory(prefix="llmopt-") as folder:
        path = Path(folder) / "manifest.yaml"
        path.write_text(text, encoding="utf-8")
        return tuple(replace(fault, file=Path(source)) for fault in validate_file(path))
