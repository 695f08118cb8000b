"""Events: what a person would want to know, each reported once.

kopf's posting is not used: it names each Event by chance, where the same one of ours has the same name, so
that an operator that is started again does not repeat it; it works only inside kopf's handlers, and it
would go on after the lease was lost.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from llmopt_core.api.objects import OPERATOR
from llmopt_operator.domain.actions import Event
from llmopt_operator.domain.conditions import timestamp

_LONGEST_MESSAGE = 1024
_HASH_LENGTH = 16


def event_of(document: Mapping[str, Any], event: Event, now: float) -> dict[str, Any]:
    """Return the Event; the same event of the same generation has the same name."""
    metadata = document["metadata"]
    mark = f"{metadata['uid']} {metadata.get('generation')} {event.reason} {event.message}"
    digest = hashlib.sha256(mark.encode()).hexdigest()[:_HASH_LENGTH]
    moment = timestamp(now)
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{metadata['name']}.{digest}", "namespace": metadata["namespace"]},
        "involvedObject": {
            "apiVersion": document["apiVersion"],
            "kind": document["kind"],
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "uid": metadata["uid"],
        },
        "reason": event.reason,
        "message": event.message[:_LONGEST_MESSAGE],
        "type": "Warning" if event.warning else "Normal",
        "source": {"component": OPERATOR},
        "firstTimestamp": moment,
        "lastTimestamp": moment,
        "count": 1,
    }
