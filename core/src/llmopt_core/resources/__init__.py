"""The two kinds as types: what a user writes, validated, and what the operator writes back.

It runs nothing: it only says what a manifest means and what is wrong with it. The definitions for the API
server and the reference pages are generated from these types. Read `optimization` first, then `validation`.
"""

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
