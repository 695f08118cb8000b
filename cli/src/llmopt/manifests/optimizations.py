"""An LLMOptimization from a few options: what `llmopt optimize` and `llmopt.optimize` build."""

from typing import Any

from llmopt.manifests.documents import default_name, document
from llmopt.manifests.option_faults import OptionInvalid
from llmopt.manifests.option_values import constraint, kubernetes_duration, objective
from llmopt.manifests.served_models import Served
from llmopt.manifests.spellings import OPTIMIZE, Spelling
from llmopt.manifests.workloads import CONCURRENCY, workload_part
from llmopt.option_labels import labelled
from llmopt.options import Options

# Several of these make a Pareto study; the first is what the headline speaks of.
DEFAULT_OBJECTIVES = ("accuracy", "good_answers_per_second")
OWN_EVALUATOR_OBJECTIVES = ("score",)
DEFAULT_PRESET = "balanced"
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


def optimization(
    options: Options,
    served: Served,
    spelled: Spelling = OPTIMIZE,
    *,
    own_evaluator: bool = False,
) -> dict[str, Any]:
    """Return the document of an LLMOptimization of `served`; raises OptionInvalid.

    `own_evaluator`: answers are scored by a function of the caller.
    """
    objectives = options.objectives or (OWN_EVALUATOR_OBJECTIVES if own_evaluator else DEFAULT_OBJECTIVES)
    spec: dict[str, Any] = {
        "model": served.model_part,
        "engine": served.engine_part,
        "workload": workload_part(options, SAFE_CONCURRENCY if options.safe else CONCURRENCY),
        "search": _search(options, spelled),
        "objectives": [objective(text, spelled) for text in objectives],
        "constraints": [constraint(text, spelled) for text in options.constraints or ()],
        "budget": _budget(options, spelled),
        "confirm": _confirm(options, spelled),
        "memoryGuard": dict(SAFE_GUARD) if options.safe else {},
    }
    name = options.name or default_name(options.model, options.dataset)
    return document("LLMOptimization", name, {key: part for key, part in spec.items() if part})


def _budget(options: Options, spelled: Spelling) -> dict[str, Any]:
    duration = {} if options.timeout is None else {"duration": kubernetes_duration(options.timeout, spelled)}
    return {"trials": options.trials, **duration}


def _confirm(options: Options, spelled: Spelling) -> dict[str, Any]:
    if options.confirm:
        return {} if options.repeats is None else {"repeats": options.repeats}
    if options.repeats is not None:
        raise OptionInvalid(
            f"{labelled(spelled('repeats'), options.repeats)}:"
            f" {spelled('no_confirm')} leaves out what is repeated:"
            " give one of the two"
        )
    return {"top": 0}


def _search(options: Options, spelled: Spelling) -> dict[str, Any]:
    sampler = {"sampler": {"name": str(options.method)}}
    if not options.safe:
        return {"preset": str(options.preset or DEFAULT_PRESET), **sampler}
    if options.preset is not None:
        raise OptionInvalid(
            f"{labelled(spelled('preset'), options.preset)}: {spelled('safe')} brings its own search:"
            " give one of the two"
        )
    return {**sampler, "space": SAFE_SPACE}
