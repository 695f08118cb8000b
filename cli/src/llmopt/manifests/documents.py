"""Manifests as text, and the parts that both kinds have."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from llmopt_core.api.kinds import API_VERSION

_LONGEST_NAME = 63


def as_yaml(document: Mapping[str, Any]) -> str:
    """Return `document` as YAML, in its own order."""
    return yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True)


def document(kind: str, name: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document of a resource of `kind`."""
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name}, "spec": dict(spec)}


def default_name(*parts: str) -> str:
    """Return a resource's name made from `parts`: models as they were given, a data set, or any words."""
    words = "-".join(_last_word(part) for part in parts)
    name = re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")
    return name[:_LONGEST_NAME].strip("-") or "study"


def _last_word(part: str) -> str:
    """Return what distinguishes a source or a path from others."""
    word = re.split(r"[/@]", part.removesuffix(".gguf").rstrip("/"))[-1]
    return Path(word).stem if word.endswith((".jsonl", ".csv", ".tsv")) else word
