"""What the reports of both kinds say alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llmopt_core.resources.serving import Workload
from llmopt_core.results.wording import value_text
from llmopt_core.search.configurations import Value
from llmopt_core.storage.records import TrialRecord


@dataclass(frozen=True, kw_only=True)
class Page:
    """The texts of every report; `tone` is good or quiet."""

    title: str
    headline: str
    tone: str
    proof: str
    measured: tuple[tuple[str, str], ...]
    machine: tuple[tuple[str, str], ...]
    errors: tuple[Mapping[str, Any], ...]
    warnings: tuple[Mapping[str, Any], ...]
    serve_title: str
    serve_command: str
    request_fields: str
    manifest: str


def workload_facts(workload: Workload) -> dict[str, str]:
    """Return what was asked and how, by what to call it."""
    load, dataset = workload.load, workload.dataset
    return {
        "Data set": dataset.name or dataset.path or dataset.hf or "from a ConfigMap",
        "Requests": f"{load.rate} requests per second (Poisson)"
        if load.rate
        else f"{load.concurrency} at once",
        **_answers(workload),
    }


def _answers(workload: Workload) -> dict[str, str]:
    if workload.output_tokens is not None:
        return {"Answer length": f"exactly {workload.output_tokens} tokens", "Evaluator": "none"}
    evaluator = workload.evaluator.name if workload.evaluator else "the data set's own"
    return {"Answer length": f"at most {workload.max_tokens} tokens", "Evaluator": evaluator}


def measuring_seconds(trials: Sequence[TrialRecord]) -> float:
    """Return the time of all trials together."""
    return sum(trial.outcome.seconds.get("total", 0.0) for trial in trials if trial.outcome)


def parameter_rows(parameters: Mapping[str, Mapping[str, Value]]) -> tuple[tuple[str, str, str], ...]:
    """Return group, name and value of each parameter."""
    return tuple(
        (group, name, value_text(value))
        for group, values in parameters.items()
        for name, value in values.items()
    )
