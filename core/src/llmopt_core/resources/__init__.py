"""The two kinds as types: what a person writes, checked, and what is written back."""

from llmopt_core.resources.base import duration_seconds
from llmopt_core.resources.benchmark import LLMBenchmark
from llmopt_core.resources.faults import Fault, ManifestInvalid
from llmopt_core.resources.loading import Resource, load_manifest, resource_of
from llmopt_core.resources.optimization import LLMOptimization
from llmopt_core.resources.validation import FileFault, check, validate, validate_file

__all__ = [
    "Fault",
    "FileFault",
    "LLMBenchmark",
    "LLMOptimization",
    "ManifestInvalid",
    "Resource",
    "check",
    "duration_seconds",
    "load_manifest",
    "resource_of",
    "validate",
    "validate_file",
]
