"""What a person may call the kinds of resources."""

from collections.abc import Sequence
from dataclasses import dataclass

from llmopt_core.api.kinds import GROUP, Kind

# Kinds of Kubernetes' own that a manifest may refer to, and that may stand beside it in its file.
COMPANIONS = frozenset({"ConfigMap", "Secret", "PersistentVolumeClaim"})


@dataclass(frozen=True)
class Reference:
    """What a person named: a resource's name, and of which kinds it may be."""

    kinds: Sequence[Kind]
    name: str | None


def kind_called(word: str) -> Kind | None:
    """Return the kind that `word` stands for, such as `llmo`."""
    return next((kind for kind in Kind if word.lower() in _words(kind)), None)


def kind_of(document: object) -> Kind | None:
    """Return the kind of a parsed document, None where it is none of ours."""
    name = document.get("kind") if isinstance(document, dict) else None
    return next((kind for kind in Kind if kind == name), None)


def _words(kind: Kind) -> frozenset[str]:
    """All that a kind may be called, in lower case."""
    return frozenset({kind.singular, kind.plural, kind.short, kind.resource, f"{kind.singular}.{GROUP}"})
