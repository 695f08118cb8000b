"""What `models.yaml` says of a model, and what is wrong where it says something else."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from llmopt_core.errors.classes import LlmoptError
from llmopt_core.resources.base import Identifier, ScalarMap
from llmopt_core.resources.faults import Fault
from llmopt_core.resources.places import duplicates, line_of
from llmopt_core.resources.texts import YAML_ERRORS, yaml_documents, yaml_fault, yaml_line
from llmopt_core.resources.translation import faults_of
from llmopt_core.resources.validation import FileFault

_MOST_GPUS = 1024
Size = Annotated[int, Field(ge=1, le=_MOST_GPUS)]


class _Part(BaseModel):
    """A part of the file: immutable, no unknown fields, no guessed types."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)


class Quantization(_Part):
    """Weights that are quantised while they are loaded."""

    load_in_4bit: bool = False
    load_in_8bit: bool = False


class NamedModel(_Part):
    """One model: where its weights are, what serves it, and what of that is fixed.

    `source` is what `--model` takes; a relative path starts at the file's own folder. `model_path` and
    `model_type`, the names of former configurations, are `source` and `engine`. `args` are parameters of the
    engine by its own names; the other fields mean the same for each engine that has them.
    """

    source: Annotated[str, Field(min_length=1, max_length=512)] = Field(
        validation_alias=AliasChoices("source", "model_path")
    )
    engine: Identifier | None = Field(None, validation_alias=AliasChoices("engine", "model_type"))
    description: Annotated[str, Field(max_length=1024)] = ""
    device: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    dtype: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    quantization: Quantization | None = None
    max_batch_size: Annotated[int, Field(ge=1)] | None = None
    tensor_parallel_size: Size | None = None
    pipeline_parallel_size: Size | None = None
    trust_remote_code: bool = False
    args: ScalarMap = Field(default_factory=dict)


class _File(_Part):
    models: dict[Identifier, NamedModel]


class ModelsInvalid(LlmoptError):
    """A file of models cannot be used; each fault has its line, the value and what to do."""

    def __init__(self, faults: tuple[FileFault, ...]) -> None:
        self.faults = faults
        super().__init__("\n".join(str(fault) for fault in faults))


# What a field may be called, for suggestions; the former names are accepted and not suggested.
_SCHEMA: Mapping[str, Any] = {
    "properties": {
        "models": {
            "additionalProperties": {
                "properties": {
                    **{field: {} for field in NamedModel.model_fields},
                    "quantization": {"properties": {field: {} for field in Quantization.model_fields}},
                }
            }
        }
    }
}


def parsed(text: str, path: Path) -> dict[str, NamedModel]:
    """Return the models in `text`, the content of the file `path`; raises ModelsInvalid with all faults."""
    try:
        documents = yaml_documents(text)
    except YAML_ERRORS as error:
        fault = replace(yaml_fault(error, text), path="models")
        raise ModelsInvalid((FileFault(path, yaml_line(error), fault),)) from error
    if len(documents) > 1:
        raise ModelsInvalid((FileFault(path, 1, Fault("models", None, "one document, without ---")),))
    node = yaml.compose(text, Loader=yaml.CSafeLoader)
    if node is None or documents[0] is None:
        return {}
    if faults := tuple(_faults(documents[0], node)):
        raise ModelsInvalid(tuple(FileFault(path, line_of(node, fault.path), fault) for fault in faults))
    return _File.model_validate(documents[0]).models


def _faults(document: Any, node: yaml.Node) -> tuple[Fault, ...]:
    if twice := duplicates(node):
        return tuple(Fault(path, None, "each name once: it stands twice") for path in twice)
    try:
        _File.model_validate(document)
    except ValidationError as error:
        return faults_of(error, _SCHEMA)
    return ()
