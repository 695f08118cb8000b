"""The two ConfigMaps of a resource: the settings of its runners, and what was found."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from llmopt_core.resources import LLMOptimization
from llmopt_core.resources.names import best_config_map_name
from llmopt_core.results.best_documents import best_text
from llmopt_core.results.results import OptimizationResult
from llmopt_operator.specs.names import child_name, labels_of, manifest_hash, owner_of, runner_manifest

MANIFEST_KEY = "manifest.yaml"


def manifest_config_map(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ConfigMap that holds what runners are given; it never changes."""
    hash_ = manifest_hash(document)
    # JSON is YAML too, and written in a hundredth of the time.
    text = msgspec.json.format(msgspec.json.encode(runner_manifest(document))).decode() + "\n"
    name = child_name(document, hash_)
    return {**_config_map(document, name, hash_, {MANIFEST_KEY: text}), "immutable": True}


def best_config_map(
    document: Mapping[str, Any], resource: LLMOptimization, result: OptimizationResult
) -> dict[str, Any]:
    """Return the ConfigMap that holds the best parameters, as programs and servers read them."""
    data = {
        "best.json": best_text(result),
        "serve-args": (result.serve_command or "") + "\n",
        "generation_config.json": json.dumps(dict(result.request_fields), indent=2) + "\n",
    }
    return _config_map(
        document, best_config_map_name(document, resource.spec.rollout), manifest_hash(document), data
    )


def _config_map(
    document: Mapping[str, Any], name: str, hash_: str, data: Mapping[str, str]
) -> dict[str, Any]:
    metadata = document["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": name,
            "namespace": metadata["namespace"],
            "labels": labels_of(document["kind"], metadata["name"], hash_),
            "ownerReferences": [owner_of(document)],
        },
        "data": dict(data),
    }
