"""What a model is asked: the manifest's `workload`, from options."""

import re
from pathlib import Path
from typing import Any

from llmopt.options import WorkloadOptions
from llmopt.path_checks import expanded, is_file, may_exist

CONCURRENCY = 8
_HUB = "hf://"
_HUB_NAME = re.compile(r"[\w-][\w.-]*/[\w.-]+(\?.*)?", re.ASCII)
_ENDINGS = frozenset({".csv", ".gz", ".json", ".jsonl", ".parquet", ".tsv", ".txt", ".yaml", ".yml"})
# A person's own function may call a model of its own; a hung one must still end.
SCORING_TIMEOUT_SECONDS = 600


def workload_part(options: WorkloadOptions, concurrency: int = CONCURRENCY) -> dict[str, Any]:
    """Return the workload of `options`; `concurrency` holds where they name none."""
    longest = {} if options.max_tokens is None else {"maxTokens": options.max_tokens}
    return {
        "dataset": {**_dataset(options.dataset), "samples": options.samples},
        "load": {"concurrency": concurrency if options.concurrency is None else options.concurrency},
        **longest,
    }


def _dataset(text: str) -> dict[str, str]:
    """Return where the items are: at the hub, in a file, or of an installed data set by its name.

    A name with the ending of a file is one, also where there is none, so that this is what is said.
    """
    hub = text.removeprefix(_HUB)
    if hub != text or (_HUB_NAME.fullmatch(text) and not Path(text).suffix and not may_exist(text)):
        return {"hf": hub}
    if "/" in text or text.startswith("~") or Path(text).suffix in _ENDINGS or is_file(text):
        return {"path": _expanded(text)}
    return {"name": text}


def _expanded(path: str) -> str:
    return str(expanded(path)) if path.startswith("~") else path


def evaluator_part(url: str, *, whole_set: bool = False) -> dict[str, Any]:
    """Return the evaluator that asks the scoring service at `url`, for all answers at once if `whole_set`."""
    args: dict[str, Any] = {"timeout_seconds": SCORING_TIMEOUT_SECONDS}
    if whole_set:
        args["whole_set"] = "true"
    return {"name": "endpoint", "args": args, "endpoint": {"url": url}}
