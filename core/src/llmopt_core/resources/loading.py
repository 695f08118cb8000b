"""From YAML to the types: the one way in for runners, the CLI and tests."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from llmopt_core.resources.benchmark import LLMBenchmark
from llmopt_core.resources.faults import Fault, ManifestInvalid
from llmopt_core.resources.optimization import LLMOptimization

Resource = LLMOptimization | LLMBenchmark
KINDS: Mapping[str, type[LLMOptimization] | type[LLMBenchmark]] = {
    "LLMOptimization": LLMOptimization,
    "LLMBenchmark": LLMBenchmark,
}


def load_manifest(source: Path | str) -> Resource:
    """Return the resource in the file `source` (a Path) or in the text `source` (a str).

    Raises ManifestInvalid, with all its faults, when it is no such resource, and OSError when the file
    cannot be read. What depends on the engine is checked by `validate`, not here: a runner may know an
    engine that the reader of a manifest does not.
    """
    text = source.read_text(encoding="utf-8") if isinstance(source, Path) else source
    return resource_of(_single_document(text))


def resource_of(document: Mapping[str, Any]) -> Resource:
    """Return the resource that the parsed `document` describes, or raise ManifestInvalid."""
    kind = document.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise ManifestInvalid((Fault("kind", kind, f"one of {', '.join(KINDS)}"),))
    try:
        return KINDS[kind].model_validate(document)
    except ValidationError as error:
        raise ManifestInvalid(_faults(error)) from error


def _faults(error: ValidationError) -> tuple[Fault, ...]:
    return tuple(
        Fault(".".join(str(step) for step in detail["loc"]), detail["input"], detail["msg"])
        for detail in error.errors(include_url=False)
    )


def _single_document(text: str) -> Mapping[str, Any]:
    try:
        documents = [document for document in yaml.load_all(text, Loader=yaml.CSafeLoader) if document]
    except yaml.YAMLError as error:
        raise ManifestInvalid((Fault("", None, f"YAML: {error}"),)) from error
    if len(documents) != 1 or not isinstance(documents[0], dict):
        raise ManifestInvalid((Fault("", None, f"one resource in the file, found {len(documents)}"),))
    return documents[0]
