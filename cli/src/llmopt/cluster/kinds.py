"""The two kinds of resources, and what a person may call them."""

from collections.abc import Sequence
from dataclasses import dataclass

GROUP = "llmopt.dev"
VERSION = "v1alpha1"


@dataclass(frozen=True)
class Kind:
    """One kind, as manifests, the API server's paths and kubectl name it."""

    name: str
    plural: str
    short: str

    @property
    def resource(self) -> str:
        """As rights name it, such as `llmoptimizations.llmopt.dev`."""
        return f"{self.plural}.{GROUP}"

    @property
    def words(self) -> frozenset[str]:
        """All that it may be called, in lower case."""
        singular = self.name.lower()
        return frozenset({singular, self.plural, self.short, self.resource, f"{singular}.{GROUP}"})


OPTIMIZATION = Kind("LLMOptimization", "llmoptimizations", "llmo")
BENCHMARK = Kind("LLMBenchmark", "llmbenchmarks", "llmb")
KINDS = (OPTIMIZATION, BENCHMARK)
# Kinds of Kubernetes' own that a manifest may refer to, and that may stand beside it in its file.
COMPANIONS = frozenset({"ConfigMap", "Secret", "PersistentVolumeClaim"})


@dataclass(frozen=True)
class Reference:
    """What a person named: a resource's name, and of which kinds it may be."""

    kinds: Sequence[Kind]
    name: str | None


def kind_called(word: str) -> Kind | None:
    """Return the kind that `word` stands for, such as `llmo`."""
    return next((kind for kind in KINDS if word.lower() in kind.words), None)


def kind_of(document: object) -> Kind | None:
    """Return the kind of a parsed document, None where it is none of ours."""
    name = document.get("kind") if isinstance(document, dict) else None
    return next((kind for kind in KINDS if kind.name == name), None)
