"""The former JSON configuration as named models: what is kept, and what has no counterpart. Pure.

Its models had the fields name, model_path, model_type, device, dtype, quantization, max_batch_size,
tensor_parallel_size, pipeline_parallel_size, trust_remote_code and description.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from llmopt.manifests import OptionInvalid
from llmopt.manifests.documents import default_name
from llmopt.manifests.spellings import flag
from llmopt.named_models.engine_arguments import engine_arguments
from llmopt.named_models.entries import NamedModel, Quantization
from llmopt.options import Options
from llmopt_core.engines.transformers.bnb_4bit import NAMES, OPTIONS
from llmopt_core.resources.faults import SHOWN_CHARACTERS
from llmopt_core.resources.translation import faults_of

_ENGINES: Mapping[str, str] = MappingProxyType(
    {
        "gguf": "llamacpp",
        "hf": "transformers",
        "huggingface": "transformers",
        "llama.cpp": "llamacpp",
        "llama_cpp": "llamacpp",
        "llamacpp": "llamacpp",
        "sglang": "sglang",
        "transformers": "transformers",
        "vllm": "vllm",
    }
)
_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "bf16": "bfloat16",
        "float": "float32",
        "fp16": "float16",
        "fp32": "float32",
        "half": "float16",
    }
)
_PLAIN_FIELDS = (
    "description", "device", "dtype", "max_batch_size", "tensor_parallel_size", "pipeline_parallel_size",
    "trust_remote_code",
)  # fmt: skip
_FORMER_FIELDS = ("name", "model_path", "model_type", "quantization", *_PLAIN_FIELDS)
_ADVICE: Mapping[str, str] = MappingProxyType(
    {
        "gradient_checkpointing": "belongs to training; llmopt serves models and trains none",
    }
)
_UNKNOWN = "no counterpart in llmopt"
_WANTED = (
    'a JSON object with "models" (a list, or an object by name) or "model", or one model with "model_path"'
)


@dataclass(frozen=True)
class Converted:
    """The models by name, as `models.yaml` has them, and one line for each field that has no counterpart."""

    models: dict[str, dict[str, Any]]
    left_out: tuple[str, ...]

    @property
    def document(self) -> dict[str, Any]:
        """The content of `models.yaml`."""
        return {"models": self.models}


@dataclass
class _Notes:
    """Collects what has no counterpart."""

    lines: list[str] = field(default_factory=list)

    def leave_out(self, path: str, value: object, why: str) -> None:
        self.lines.append(f"{path} {_shown(value)}: {why}")


def converted(document: object) -> Converted:
    """Return what the parsed former configuration `document` stands for; raises OptionInvalid."""
    notes = _Notes()
    models: dict[str, dict[str, Any]] = {}
    for path, name, given in _models_of(document, notes):
        if not isinstance(given, Mapping) or not isinstance(given.get("model_path"), str):
            raise OptionInvalid(f'{path}: {_shown(given)}: expected a model with "model_path"')
        unique = _unique(_name(str(given.get("name") or name or given["model_path"])), models)
        models[unique] = _model(path, given, notes)
    if not models:
        raise OptionInvalid(f"no model in it: expected {_WANTED}")
    return Converted(models, tuple(notes.lines))


def _models_of(document: object, notes: _Notes) -> Iterator[tuple[str, str, object]]:
    """Yield the place, the name and the fields of each model; the rest of the document is noted."""
    if isinstance(document, list):
        yield from _listed("", document)
        return
    if not isinstance(document, Mapping):
        raise OptionInvalid(f"{_shown(document)}: expected {_WANTED}")
    if "model_path" in document:
        yield "model", "", document
        return
    for key, value in document.items():
        if key == "models":
            yield from _listed(key, value)
        elif key == "model":
            yield key, "", value
        else:
            _note_all(key, value, notes)


def _listed(key: str, value: object) -> Iterator[tuple[str, str, object]]:
    if isinstance(value, Mapping):
        yield from ((f"{key}.{name}", str(name), one) for name, one in value.items())
    elif isinstance(value, list):
        yield from ((f"{key}[{index}]", "", one) for index, one in enumerate(value))
    else:
        raise OptionInvalid(f"{key}: {_shown(value)}: expected a list of models, or an object by name")


def _model(path: str, given: Mapping[str, Any], notes: _Notes) -> dict[str, Any]:
    model: dict[str, Any] = {"source": given["model_path"]}
    for name in _PLAIN_FIELDS:
        if given.get(name) not in (None, ""):
            model[name] = _type(given[name]) if name == "dtype" else given[name]
    flat = {name: given[name] for name in (*Quantization.model_fields, *NAMES) if name in given}
    asked = given.get("quantization") or flat
    if isinstance(asked, Mapping) and (known := _quantization(asked)):
        model["quantization"] = known
    if (engine := _engine(path, given, model, notes)) is not None:
        model = {"source": model.pop("source"), "engine": engine, **model}
    if options := _options(asked, engine, model):
        model["args"] = options
    _note_quantization(path, asked, options, notes)
    for name, value in given.items():
        if name not in _FORMER_FIELDS and name not in flat:
            _note_all(f"{path}.{name}", value, notes)
    return _checked(path, model, notes)


def _quantization(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name in Quantization.model_fields and value}


def _options(given: object, engine: str | None, model: Mapping[str, Any]) -> dict[str, str]:
    """Return the options of 4-bit weights that transformers can be given, as its arguments."""
    has_options = engine == "transformers" and model.get("quantization", {}).get("load_in_4bit")
    if not has_options or not isinstance(given, Mapping):
        return {}
    return {
        option.name: text
        for option in OPTIONS
        if (text := _type(given.get(option.name))) in (option.choices or ("true", "false"))
    }


def _note_quantization(path: str, given: object, options: Mapping[str, str], notes: _Notes) -> None:
    if not given:
        return
    if not isinstance(given, Mapping):
        notes.leave_out(f"{path}.quantization", given, "name a model that is quantised so, in its model_path")
        return
    for name, value in given.items():
        if name not in Quantization.model_fields and name not in options:
            notes.leave_out(f"{path}.quantization.{name}", value, "the engine decides it")


def _engine(path: str, given: Mapping[str, Any], model: Mapping[str, Any], notes: _Notes) -> str | None:
    """Return the engine that was named, or the one that a field needs; None: the model decides."""
    asked = given.get("model_type")
    if asked and (known := _ENGINES.get(str(asked).lower())):
        return known
    if asked:
        notes.leave_out(f"{path}.model_type", asked, "names no engine of llmopt; the model decides which one")
    if str(model["source"]).lower().endswith(".gguf"):
        return "llamacpp"
    if "quantization" in model:
        return "transformers"
    sizes = (model.get("tensor_parallel_size", 1), model.get("pipeline_parallel_size", 1))
    return "vllm" if sizes != (1, 1) else None


def _checked(path: str, model: dict[str, Any], notes: _Notes) -> dict[str, Any]:
    """Return `model` without the fields that its engine cannot be given, which are noted."""
    try:
        found = NamedModel.model_validate(model)
    except ValidationError as error:
        raise OptionInvalid("\n".join(f"{path}.{fault}" for fault in faults_of(error, {}))) from error
    if found.engine is None:
        return model
    _, faults = engine_arguments(found, found.engine)
    for fault in faults:
        notes.leave_out(
            f"{path}.{fault.path}", model[fault.path], f"expected {fault.expected} ({fault.suggestion})"
        )
    unusable = {fault.path for fault in faults}
    return {name: value for name, value in model.items() if name not in unusable}


def _note_all(path: str, value: object, notes: _Notes) -> None:
    """Note `value` and all below it: an option of a command today, known to be none, or unknown."""
    if isinstance(value, Mapping) and value:
        for name, below in value.items():
            _note_all(f"{path}.{name}", below, notes)
        return
    last = path.rpartition(".")[2]
    option = f"give it to `llmopt optimize` as {flag(last)}" if last in _OPTION_NAMES else _UNKNOWN
    notes.leave_out(path, value, _ADVICE.get(last, option))


_OPTION_NAMES = frozenset(option.name for option in fields(Options))


def _type(value: object) -> str:
    word = str(value).removeprefix("torch.").lower()
    return _TYPES.get(word, word)


def _name(text: str) -> str:
    """Return `text` as a name of models.yaml, which begins with a letter."""
    name = text if re.fullmatch(r"[A-Za-z_][\w.-]*", text, re.ASCII) else default_name(text)
    return name if not name[0].isdigit() else f"model-{name}"


def _unique(name: str, taken: Mapping[str, object]) -> str:
    return next(
        one
        for one in (name, *(f"{name}-{number}" for number in range(2, len(taken) + 3)))
        if one not in taken
    )


def _shown(value: object) -> str:
    text = (
        repr(value)
        if isinstance(value, str)
        else str(value).lower()
        if isinstance(value, bool)
        else str(value)
    )
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 1]}…"
