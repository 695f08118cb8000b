"""The kinds of resources as manifests, the API server's paths and kubectl name them."""

from enum import StrEnum
from typing import assert_never

GROUP = "llmopt.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"


class Kind(StrEnum):
    """One kind; the value is its name in manifests."""

    OPTIMIZATION = "LLMOptimization"
    BENCHMARK = "LLMBenchmark"

    @property
    def plural(self) -> str:
        """As the API server's paths name it."""
        return f"{self.singular}s"

    @property
    def singular(self) -> str:
        """As labels and kubectl name it."""
        return self.value.lower()

    @property
    def short(self) -> str:
        """What a person types."""
        match self:
            case Kind.OPTIMIZATION:
                return "llmo"
            case Kind.BENCHMARK:
                return "llmb"
            case _:
                assert_never(self)

    @property
    def resource(self) -> str:
        """As rights name it, such as `llmoptimizations.llmopt.dev`."""
        return f"{self.plural}.{GROUP}"
