"""What is wrong with options, in the names that the user gave them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from llmopt_core.errors.classes import LlmoptError
from llmopt_core.resources.faults import Fault

# What of a manifest an option sets, by the beginning of the path: its faults are the option's.
_OPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "metadata.name": "name",
        "spec.budget.duration": "timeout",
        "spec.budget.trials": "trials",
        "spec.candidates": "models",
        "spec.confirm.repeats": "repeats",
        "spec.constraints": "constraints",
        "spec.engine.endpoint.model": "endpoint_model",
        "spec.engine.endpoint.url": "endpoint",
        "spec.engine": "engine",
        "spec.metrics": "metrics",
        "spec.model.source": "model",
        "spec.objectives": "objectives",
        "spec.objective": "objective",
        "spec.repeats": "repeats",
        "spec.search.preset": "preset",
        "spec.search.sampler": "method",
        "spec.workload.dataset.samples": "samples",
        "spec.workload.dataset": "dataset",
        "spec.workload.load.concurrency": "concurrency",
        "spec.workload.maxTokens": "max_tokens",
    }
)
# These hold several values, and the command's option is given once for each.
_REPEATED = frozenset({"objectives", "constraints", "metrics"})


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
    return f"--{name.removesuffix('s') if name in _REPEATED else name}".replace("_", "-")
