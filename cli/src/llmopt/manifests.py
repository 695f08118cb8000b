"""A manifest from a few options: what `llmopt optimize` and `llmopt.optimize` build."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from llmopt.options import Options
from llmopt_core.api.kinds import API_VERSION
from llmopt_core.errors.classes import LlmoptError
from llmopt_core.resources.faults import Fault

# What of a manifest an option sets, by the beginning of the path: its faults are the option's.
_OPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "metadata.name": "name",
        "spec.budget.duration": "timeout",
        "spec.budget.trials": "trials",
        "spec.engine.endpoint.model": "endpoint_model",
        "spec.engine.endpoint.url": "endpoint",
        "spec.engine": "engine",
        "spec.model.source": "model",
        "spec.objectives": "objectives",
        "spec.search.sampler": "method",
        "spec.workload.dataset.samples": "samples",
        "spec.workload.dataset": "dataset",
        "spec.workload.load.concurrency": "concurrency",
    }
)
# Several of these make a Pareto study; the first is what the headline speaks of.
DEFAULT_OBJECTIVES = ("accuracy", "good_answers_per_second")
OWN_EVALUATOR_OBJECTIVES = ("score",)
# With --safe: the guard steps in early, and few requests are in flight.
SAFE_GUARD = {"warningPercent": 60, "criticalPercent": 70, "emergencyPercent": 80}
SAFE_CONCURRENCY = 2
# With --safe only what a request says is searched: the server's own settings, and so its memory, stay.
SAFE_SPACE = {
    "sampling": [
        {"name": "temperature", "float": {"low": "0", "high": "1", "step": "0.1"}},
        {
            "name": "top_p",
            "float": {"low": "0.5", "high": "1", "step": "0.05"},
            "when": [{"parameter": "sampling.temperature", "above": "0"}],
        },
    ],
    "prompt": [{"name": "few_shot", "categorical": {"choices": [0, 2, 4]}}],
}
CONCURRENCY = 8
# A person's own function may call a model of its own; a hung one must still end.
SCORING_TIMEOUT_SECONDS = 600


class OptionInvalid(LlmoptError):
    """An option's value cannot be used; the message names the option, the value and what is expected."""


def as_option_faults(faults: Iterable[Fault], spelled: Callable[[str], str]) -> OptionInvalid:
    """Return the faults of a manifest that was built from options as those of the options.

    `spelled` returns what the user calls an option, such as `--endpoint-model` for `endpoint_model`.
    """
    return OptionInvalid("\n".join(_option_fault(fault, spelled) for fault in faults))


def _option_fault(fault: Fault, spelled: Callable[[str], str]) -> str:
    option = next((_OPTIONS[start] for start in _OPTIONS if fault.path.startswith(start)), None)
    if option is None:
        return f"{fault}; write a manifest to change it: --dry-run prints this one"
    return str(replace(fault, path=spelled(option)))


def flag(name: str) -> str:
    """Return how the command spells the option `name`."""
    return f"--{name.removesuffix('s') if name == 'objectives' else name}".replace("_", "-")


def build(options: Options, engine: str, *, own_evaluator: bool = False) -> dict[str, Any]:
    """Return the document of an LLMOptimization that is served by `engine`; raises OptionInvalid.

    `own_evaluator`: answers are scored by a function of the caller.
    """
    budget: dict[str, Any] = {"trials": options.trials}
    if options.timeout is not None:
        budget["duration"] = kubernetes_duration(options.timeout)
    objectives = options.objectives or (OWN_EVALUATOR_OBJECTIVES if own_evaluator else DEFAULT_OBJECTIVES)
    spec: dict[str, Any] = {
        "model": {"source": _source(options)},
        "engine": {"name": engine, **_endpoint(options)},
        "workload": _workload(options),
        "search": _search(options),
        "objectives": [objective(text) for text in objectives],
        "budget": budget,
    }
    if options.safe:
        spec["memoryGuard"] = dict(SAFE_GUARD)
    return {
        "apiVersion": API_VERSION,
        "kind": "LLMOptimization",
        "metadata": {"name": options.name or default_name(options.model, options.dataset)},
        "spec": spec,
    }


def as_yaml(document: Mapping[str, Any]) -> str:
    """Return `document` as YAML, in its own order."""
    return yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True)


# No name of the hub begins or ends like this.
_LOOKS_LIKE_A_PATH = re.compile(r"^[./~]|\.gguf$", re.IGNORECASE)


def model_source(text: str) -> str:
    """Return the source of a model given as a source, a path that exists, or a hub name `org/name`."""
    if "://" in text:
        return text
    path = Path(text).expanduser()
    if text and path.exists():
        return f"file://{path.resolve()}"
    if _LOOKS_LIKE_A_PATH.search(text):
        raise OptionInvalid(
            f"--model {text!r}: there is no file or folder {path.absolute()}: correct the path"
        )
    if re.fullmatch(r"[\w.-]+/[\w.-]+(@[\w.-]+)?", text):
        return f"hf://{text}"
    raise OptionInvalid(
        f"--model {text!r}: expected hf://ORG/NAME, package://PACKAGE/FILE, a path that exists, or ORG/NAME"
    )


def _source(options: Options) -> str:
    try:
        return model_source(options.model)
    except OptionInvalid as error:
        if options.endpoint is None:
            raise
        raise OptionInvalid(
            f"--model {options.model!r}: name the weights that the server has, as ORG/NAME; what the server"
            " itself calls them is --endpoint-model"
        ) from error


def default_name(model: str, dataset: str) -> str:
    """Return a study's name made from its model and data set, fit for a resource's name."""
    last = re.split(r"[/@]", model.removesuffix(".gguf").rstrip("/"))[-1]
    words = re.sub(r"[^a-z0-9]+", "-", f"{last}-{Path(dataset).stem}".lower())
    return words.strip("-")[:63].strip("-") or "optimization"


def objective(text: str) -> dict[str, str]:
    """Return the objective that `METRIC`, `METRIC:maximize` or `METRIC:minimize` stands for."""
    metric, _, goal = text.partition(":")
    if goal not in {"", "maximize", "minimize"}:
        raise OptionInvalid(f"--objective {text!r}: expected METRIC, METRIC:maximize or METRIC:minimize")
    return {"metric": metric, "goal": goal} if goal else {"metric": metric}


def kubernetes_duration(text: str) -> str:
    """Return a duration such as `90`, `45s`, `10m` or `1h30m` in the manifest's notation."""
    if text.isdigit() and int(text) > 0:
        return f"{int(text)}s"
    if re.fullmatch(r"(\d+h)?(\d+m)?(\d+s)?", text) and re.search(r"[1-9]", text):
        return text
    raise OptionInvalid(f"--timeout {text!r}: expected seconds, or a duration such as 45s, 10m or 1h30m")


def _endpoint(options: Options) -> dict[str, Any]:
    if options.endpoint is None:
        return {}
    model = {"model": options.endpoint_model} if options.endpoint_model else {}
    return {"endpoint": {"url": options.endpoint, **model}}


def evaluator_part(url: str, *, whole_set: bool = False) -> dict[str, Any]:
    """Return the evaluator that asks the scoring service at `url`, for all answers at once if `whole_set`."""
    args: dict[str, Any] = {"timeout_seconds": SCORING_TIMEOUT_SECONDS}
    if whole_set:
        args["whole_set"] = "true"
    return {"name": "endpoint", "args": args, "endpoint": {"url": url}}


def _workload(options: Options) -> dict[str, Any]:
    by_path = "/" in options.dataset or options.dataset.endswith((".jsonl", ".csv", ".tsv"))
    dataset = {"path": options.dataset} if by_path else {"name": options.dataset}
    concurrency = options.concurrency or (SAFE_CONCURRENCY if options.safe else CONCURRENCY)
    return {
        "dataset": {**dataset, "samples": options.samples},
        "load": {"concurrency": concurrency},
    }


def _search(options: Options) -> dict[str, Any]:
    sampler = {"sampler": {"name": str(options.method)}}
    return {**sampler, "space": SAFE_SPACE} if options.safe else {"preset": "balanced", **sampler}
