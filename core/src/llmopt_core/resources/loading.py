"""From YAML to the types: the one way in for runners, the CLI and tests."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from llmopt_core.api.kinds import GROUP
from llmopt_core.resources.benchmark import LLMBenchmark
from llmopt_core.resources.faults import Fault, ManifestInvalid, nearest_name
from llmopt_core.resources.openapi import root_schema
from llmopt_core.resources.optimization import LLMOptimization
from llmopt_core.resources.texts import YAML_ERRORS, yaml_documents, yaml_fault
from llmopt_core.resources.translation import faults_of

Resource = LLMOptimization | LLMBenchmark
KINDS: Mapping[str, type[LLMOptimization] | type[LLMBenchmark]] = MappingProxyType(
    {"LLMOptimization": LLMOptimization, "LLMBenchmark": LLMBenchmark}
)


def load_manifest(source: Path | str) -> Resource:
    """Return the resource in the file `source` (a Path) or in the text `source` (a str).

    Documents of other API groups beside it are passed over. Raises ManifestInvalid, with all its faults,
    when it is no such resource, and OSError when the file cannot be read. What depends on the engine and
    on plug-ins is checked by `validate`, not here.
    """
    return resource_of(
        document_of(source.read_text(encoding="utf-8") if isinstance(source, Path) else source)
    )


def document_of(text: str) -> Any:
    """Return the one document of this API group in the YAML `text`; raises ManifestInvalid."""
    try:
        documents = yaml_documents(text)
    except YAML_ERRORS as error:
        raise ManifestInvalid((yaml_fault(error, text),)) from error
    ours = [document for document in documents if is_ours(document)] or [d for d in documents if d]
    if len(ours) != 1:
        raise ManifestInvalid((Fault("", None, f"one resource of {GROUP}, found {len(ours)}"),))
    return ours[0]


def resource_of(document: Any) -> Resource:
    """Return the resource that the parsed `document` describes, or raise ManifestInvalid."""
    kind = kind_of(document)
    try:
        return kind.model_validate(document, by_alias=True, by_name=False)
    except ValidationError as error:
        raise ManifestInvalid(faults_of(error, root_schema(kind))) from error


def kind_of(document: Any) -> type[LLMOptimization] | type[LLMBenchmark]:
    """Return the type for the document's kind, or raise ManifestInvalid."""
    if not isinstance(document, Mapping):
        raise ManifestInvalid((Fault("", document, "fields with values, from apiVersion on"),))
    kind = document.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        missing = "" if "kind" in document else ": the field is missing"
        fault = Fault("kind", kind, f"one of {', '.join(KINDS)}{missing}", nearest_name(kind, KINDS))
        raise ManifestInvalid((fault,))
    return KINDS[kind]


def is_ours(document: Any) -> bool:
    """Say whether the parsed `document` claims to be of this API group."""
    if not isinstance(document, Mapping):
        return False
    version, kind = document.get("apiVersion", ""), document.get("kind")
    return str(version).startswith(f"{GROUP}/") or (isinstance(kind, str) and kind in KINDS)
