"""What is wrong with options, in the names that the user gave them."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from llmopt.manifests.spellings import Spelling, flag
from llmopt.option_labels import labelled
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


class OptionInvalid(LlmoptError):
    """An option's value cannot be used; the message names the option, the value and what is expected."""


def as_option_faults(faults: Iterable[Fault], spelled: Spelling) -> OptionInvalid:
    """Return the faults of a manifest that was built from options as those of the options."""
    return OptionInvalid("\n".join(_option_fault(fault, spelled) for fault in faults))


def field_of(option: str) -> str | None:
    """Return the field of a manifest that `option`, such as `--trials`, sets; None: it sets none."""
    return next((path for path, name in _OPTIONS.items() if flag(name) == option), None)


def _option_fault(fault: Fault, spelled: Spelling) -> str:
    option = next((_OPTIONS[start] for start in _OPTIONS if fault.path.startswith(start)), None)
    if option is None or option not in spelled:
        return f"{fault}; {spelled.otherwise}"
    label = spelled(option)
    return f"{label if fault.valueless else labelled(label, fault.value)}: {fault.said}"
