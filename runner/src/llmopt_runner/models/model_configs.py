"""Reads a model's config.json: the part for language, and the names by which configurations call the same."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmopt_runner.models.class_defaults import class_defaults
from llmopt_runner.models.resolution import ModelCorrupt
from llmopt_runner.models.safetensors_headers import LARGEST_COUNT

LARGEST_CONFIG_BYTES = 4 * 1024 * 1024
# A model of several kinds of input has its language part in a configuration of its own.
_NESTED = ("text_config", "llm_config", "language_config", "language_model_config", "thinker_config")
# An EAGLE head has its configuration in one of these: of the library `speculators`, or as vLLM writes it.
_DRAFT_LAYERS, _EAGLE, _EAGLE_MODEL = "transformer_layer_config", "eagle", "model"
_DEEPEST = 3
# Where a model lists its layers, the class's number of them does not count.
_LAYER_LISTS = ("layer_types", "layers_block_type", "hybrid_override_pattern", "block_configs")
# What counts of both: the output head belongs to the whole.
_OF_THE_WHOLE = ("tie_word_embeddings",)
# What a part does not repeat is its whole's.
_QUANTISATION = ("quantization_config", "compression_config")
# What single layers have of their own, by their numbers from 0.
_OF_LAYERS = "per_layer_config"
# Older configurations have other names for the same.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "layers": ("num_hidden_layers", "n_layer", "n_layers", "num_layers", "num_transformer_layers"),
    "hidden": ("hidden_size", "n_embd", "n_embed", "d_model", "model_dim"),
    "heads": ("num_attention_heads", "n_head", "n_heads", "num_heads", "attention_heads"),
    "kv_heads": (
        "num_key_value_heads", "num_kv_heads", "n_head_kv", "multi_query_group_num", "num_attention_groups",
        "kv_n_heads", "n_kv_heads", "num_query_groups",
    ),
    "head_dim": ("head_dim", "attention_head_dim", "kv_channels", "hidden_size_per_head", "dim_head"),
    "vocab": ("vocab_size", "padded_vocab_size"),
    "context": (
        "max_position_embeddings", "n_positions", "max_seq_len", "seq_length", "max_sequence_length",
        "model_max_length", "max_context_length",
    ),
    "window": ("sliding_window", "sliding_window_size", "attention_window_size"),
}  # fmt: skip


@dataclass(frozen=True)
class ModelConfig:
    """The configuration of a model's language part; what it leaves out its class in transformers has."""

    values: Mapping[str, Any]

    def number(self, name: str) -> int:
        """Return the count that goes by `name` or one of its other names; 0: it is not known."""
        keys = _NAMES[name]
        named = keys if name != "layers" else (*keys, *_LAYER_LISTS)
        if any(key in self.values for key in named):
            return self.first(*keys)
        return whole(self.defaults.get(name))

    def first(self, *keys: str) -> int:
        """Return the first of `keys` that is a count above 0; 0: none is."""
        return next((found for key in keys if (found := whole(self.value(key)))), 0)

    def value(self, key: str) -> Any:
        """Return what is at `key`, or what the class has there; None: neither says it."""
        return self.values[key] if key in self.values else self.defaults.get(key)

    @property
    def has_layers_of_their_own(self) -> bool:
        """Whether it says of single layers what they have of their own."""
        return isinstance(self.values.get(_OF_LAYERS), dict)

    def layers_differ_in(self, *keys: str) -> bool:
        """Whether any layer has one of `keys` of its own."""
        own = self.part(_OF_LAYERS).values()
        return any(key in each for each in own if isinstance(each, dict) for key in keys)

    def of_layer(self, index: int) -> "ModelConfig":
        """Return the configuration of the layer `index` from 0, with what it has of its own."""
        own = self.part(_OF_LAYERS).get(str(index))
        return ModelConfig({**self.values, **own}) if isinstance(own, dict) and own else self

    @property
    def defaults(self) -> Mapping[str, int | bool | str]:
        """What the configuration's class has by itself."""
        return class_defaults(self.model_type)

    def listed(self, key: str) -> list[Any] | None:
        """Return the list at `key`; None: there is none."""
        found = self.values.get(key)
        return found if isinstance(found, list) and found else None

    def part(self, key: str) -> Mapping[str, Any]:
        """Return the object at `key`, {} where there is none."""
        found = self.values.get(key)
        return found if isinstance(found, dict) else {}

    @property
    def model_type(self) -> str:
        """The family's name, "" where it is missing."""
        return str(self.values.get("model_type", ""))[:80]

    @property
    def quantisation(self) -> Mapping[str, Any]:
        """What the files say of how the weights are quantised; {}: they are not."""
        return next((part for key in _QUANTISATION if (part := self.part(key))), {})


def read_config(path: Path) -> ModelConfig:
    """Return the configuration in the file `path`; raises ModelCorrupt, OSError."""
    with path.open("rb") as file:
        return parsed_config(file.read(LARGEST_CONFIG_BYTES), path)


def parsed_config(content: bytes, path: Path) -> ModelConfig:
    """Return the configuration in `content`, which is called `path` in errors; raises ModelCorrupt."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ModelCorrupt(path, f"it is not JSON ({error})") from error
    if not isinstance(document, dict):
        raise ModelCorrupt(path, "it is not a JSON object")
    return ModelConfig(_language_part(document, _DEEPEST))


def _language_part(document: Mapping[str, Any], depth: int) -> Mapping[str, Any]:
    keys = (*_NESTED, _DRAFT_LAYERS, *((_EAGLE_MODEL,) if document.get("model_type") == _EAGLE else ()))
    nested = next((document[key] for key in keys if isinstance(document.get(key), dict)), None)
    if nested is None or not depth:
        return _unfolded(document)
    whole_values = {key: value for key, value in document.items() if key not in keys}
    kept = {key: whole_values[key] for key in _OF_THE_WHOLE if type(whole_values.get(key)) is bool}
    return _language_part({**whole_values, **nested, **kept}, depth - 1)


def _unfolded(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return `document` with what MPT and DBRX keep about their attention in an object of its own."""
    attention = document.get("attn_config")
    return {**attention, **document} if isinstance(attention, dict) else document


def whole(value: object) -> int:
    """Return a whole number that can be a count; 0: it is none, or beyond anything there is."""
    if not isinstance(value, int) or isinstance(value, bool):
        return 0
    return value if 0 < value <= LARGEST_COUNT else 0
