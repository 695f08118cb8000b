"""GPUs that a manifest asks for, against what its engine takes of them.

Kubernetes gives devices by names of their makers' plug-ins: the amount under `limits` decides, and `requests`
must be the same (Kubernetes documentation, "Extended resources"). Claims of dynamic resource allocation say
nothing of how many there are, so with them nothing is judged.
"""

import math
from collections.abc import Iterator, Mapping

from llmopt_core.resources.faults import Fault
from llmopt_core.resources.pods import Runners
from llmopt_core.resources.searching import Space
from llmopt_core.search.configurations import Value

_SIZES = (
    "tensor_parallel_size",
    "pipeline_parallel_size",
    "data_parallel_size",
    "prefill_context_parallel_size",
)
_OF_KUBERNETES = ("kubernetes.io/",)
_WHOLE_GPUS = frozenset({"nvidia.com/gpu", "amd.com/gpu", "gpu.intel.com/xe", "gpu.intel.com/i915"})
_MAKERS = ("nvidia.com/", "amd.com/", "gpu.intel.com/", "habana.ai/", "google.com/tpu")


def resource_faults(runners: Runners | None) -> Iterator[Fault]:
    """Yield a fault for each device that is requested and not, or not equally, limited."""
    if runners is None:
        return
    limits = runners.resources.limits
    for name, amount in runners.resources.requests.items():
        if _is_device(name) and str(limits.get(name, "")) != str(amount):
            yield Fault(
                "spec.runners.resources.requests",
                f"{name}: {amount}",
                f"the same amount under limits, which is all that Kubernetes gives devices by ({name})",
                f'write it under limits: {{"{name}": {amount}}}; requests need not name it',
            )


def size_faults(runners: Runners | None, values: Mapping[str, Value], path: str) -> Iterator[Fault]:
    """Yield a fault where an engine with `values`, by full name, takes more GPUs than a runner has.

    `path` is what stands before the name of a parameter.
    """
    there = requested_gpus(runners)
    if there is None or (taken := gpus_taken(values)) <= there:
        return
    named = [name for name in _SIZES if f"engine.{name}" in values]
    yield Fault(
        f"{path}{named[0]}",
        taken if len(named) > 1 else values[f"engine.{named[0]}"],
        f"at most the {there} GPU(s) that spec.runners.resources.limits gives each runner"
        + (f", for {' x '.join(named)} together" if len(named) > 1 else ""),
        "raise the limit, or lower the size",
    )


def searched_size_faults(
    runners: Runners | None, fixed: Mapping[str, Value], space: Space
) -> Iterator[Fault]:
    """Yield a fault for each searched size of which some value takes more GPUs than a runner has."""
    there = requested_gpus(runners)
    if there is None:
        return
    for index, asked in enumerate(space.engine):
        if asked.name not in _SIZES:
            continue
        given = asked.categorical.choices if asked.categorical else [asked.int_.high] if asked.int_ else []
        most = max(map(_whole, given), default=0)
        if gpus_taken({**fixed, f"engine.{asked.name}": most}) > there:
            yield Fault(
                f"spec.search.space.engine[{index}]",
                most,
                f"sizes of {asked.name} that fit into the {there} GPU(s) of each runner"
                " (spec.runners.resources.limits)",
                "raise the limit, or leave the larger sizes out",
            )


def gpus_taken(values: Mapping[str, Value]) -> int:
    """Return how many GPUs an engine with `values`, by full name, takes together."""
    return math.prod(int(values.get(f"engine.{name}", 1)) for name in _SIZES)


def requested_gpus(runners: Runners | None) -> int | None:
    """Return how many whole GPUs, or one slice, a runner gets; None where the manifest does not say."""
    if runners is None or runners.template.resource_claims:
        return None
    limits = {name: amount for name, amount in runners.resources.limits.items() if name.startswith(_MAKERS)}
    if not limits:
        return None
    # A program sees one slice, or one turn of a shared GPU, however many are given.
    whole = sum(_whole(amount) for name, amount in limits.items() if name in _WHOLE_GPUS)
    return whole or 1


def asks_for_resources_without_gpus(runners: Runners) -> bool:
    """Say whether a manifest says what runners get, and that is no GPU."""
    asked = {**runners.resources.requests, **runners.resources.limits}
    gives_devices = runners.template.resource_claims or any(map(_is_device, asked))
    return bool(asked) and not gives_devices


def _whole(amount: object) -> int:
    """Return a whole number; 0 for what is none, which is a fault of its own."""
    return int(str(amount)) if str(amount).isdecimal() else 0


def _is_device(name: str) -> bool:
    return "/" in name and not any(part in name for part in _OF_KUBERNETES)
