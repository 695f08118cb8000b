"""Names of the objects that belong to a resource: short enough for Kubernetes, and each its own."""

import hashlib
from collections.abc import Mapping
from typing import Any

from llmopt_core.resources.optimization import Rollout

LONGEST_NAME = 63
_DIGEST_LENGTH = 8


def owned_name(document: Mapping[str, Any], suffix: str, longest: int = LONGEST_NAME) -> str:
    """Return `NAME-SUFFIX` for the resource `document`, of at most `longest` characters.

    A name that has to be shortened gets a digest of the resource's identity: others share its beginning.
    """
    metadata = document["metadata"]
    whole = f"{metadata['name']}-{suffix}"
    if len(whole) <= longest:
        return whole
    parts = (document["kind"], metadata.get("namespace", ""), metadata["name"], metadata.get("uid", ""))
    digest = hashlib.sha256("/".join(parts).encode()).hexdigest()[:_DIGEST_LENGTH]
    length = longest - len(suffix) - _DIGEST_LENGTH - 2
    return f"{metadata['name'][:length].rstrip('-.')}-{digest}-{suffix}"


def best_config_map_name(document: Mapping[str, Any], rollout: Rollout | None) -> str:
    """Return what the ConfigMap of the best parameters of the resource `document` is called."""
    return (rollout and rollout.config_map_name) or owned_name(document, "best")
