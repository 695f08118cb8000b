"""What the searches are asked: the quickstart with one objective, so that all of them search for the same."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from llmopt_core.resources.base import Scalar
from llmopt_core.search.configurations import Value

QUICKSTART = Path(__file__).parents[2] / "config" / "samples" / "quickstart.yaml"
OBJECTIVE = "good_answers_per_second"
DEFAULT = "default"
# More than any search measures in its minutes.
_TRIALS = 10_000


def quickstart() -> dict[str, Any]:
    """Return the quickstart's manifest."""
    document: dict[str, Any] = yaml.safe_load(QUICKSTART.read_text(encoding="utf-8"))
    return document


def search(name: str, sampler: str, pruner: str, seed: int, seconds: float) -> dict[str, Any]:
    """Return the manifest of a search that ends after `seconds`; its winner is not confirmed."""
    document = quickstart()
    spec = document["spec"]
    return {
        **document,
        "metadata": {"name": name},
        "spec": {
            **spec,
            "objectives": [{"metric": OBJECTIVE}],
            "search": {
                "space": spec["search"]["space"],
                "sampler": {"name": sampler, "seed": seed},
                "pruner": {"name": pruner},
            },
            "budget": {"trials": _TRIALS, "duration": f"{round(seconds)}s", "maxFailedTrials": _TRIALS},
            "confirm": {"top": 0},
        },
    }


def comparison(winners: Mapping[str, Mapping[str, Value]], repeats: int) -> dict[str, Any]:
    """Return the benchmark of the default and the `winners`, whose parameters are by full name."""
    spec = quickstart()["spec"]
    chosen = {name: as_scalars(parameters) for name, parameters in winners.items()}
    return {
        "apiVersion": "llmopt.dev/v1alpha1",
        "kind": "LLMBenchmark",
        "metadata": {"name": "winners"},
        "spec": {
            "model": spec["model"],
            "engine": spec["engine"],
            "workload": spec["workload"],
            "candidates": [
                {"name": DEFAULT},
                *({"name": name, "parameters": parameters} for name, parameters in chosen.items()),
            ],
            "baseline": DEFAULT,
            "repeats": repeats,
            "metrics": ["accuracy", "requests_per_second"],
            "objective": {"metric": OBJECTIVE},
        },
    }


def as_scalars(parameters: Mapping[str, Value]) -> dict[str, Scalar]:
    """Return `parameters` as a manifest writes them: decimals and booleans are text."""
    return {name: _scalar(value) for name, value in parameters.items()}


def _scalar(value: Value) -> Scalar:
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, int | str) else f"{value:.10g}"
