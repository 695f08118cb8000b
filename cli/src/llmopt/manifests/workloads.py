"""What a model is asked: the manifest's `workload`, from options."""

from pathlib import Path
from typing import Any

from llmopt.options import WorkloadOptions

CONCURRENCY = 8
# A person's own function may call a model of its own; a hung one must still end.
SCORING_TIMEOUT_SECONDS = 600


def workload_part(options: WorkloadOptions, concurrency: int = CONCURRENCY) -> dict[str, Any]:
    """Return the workload of `options`; `concurrency` holds where they name none."""
    by_path = _is_path(options.dataset)
    dataset = {"path": _expanded(options.dataset)} if by_path else {"name": options.dataset}
    longest = {} if options.max_tokens is None else {"maxTokens": options.max_tokens}
    return {
        "dataset": {**dataset, "samples": options.samples},
        "load": {"concurrency": concurrency if options.concurrency is None else options.concurrency},
        **longest,
    }


def _is_path(dataset: str) -> bool:
    """Say whether `dataset` is a file: by its name, or because one with such an ending is there."""
    if "/" in dataset or dataset.endswith((".jsonl", ".csv", ".tsv")):
        return True
    return bool(Path(dataset).suffix) and Path(dataset).exists()


def _expanded(path: str) -> str:
    return str(Path(path).expanduser()) if path.startswith("~") else path


def evaluator_part(url: str, *, whole_set: bool = False) -> dict[str, Any]:
    """Return the evaluator that asks the scoring service at `url`, for all answers at once if `whole_set`."""
    args: dict[str, Any] = {"timeout_seconds": SCORING_TIMEOUT_SECONDS}
    if whole_set:
        args["whole_set"] = "true"
    return {"name": "endpoint", "args": args, "endpoint": {"url": url}}
