"""What differs between two manifests of one study, field by field."""

from collections.abc import Iterator, Mapping
from typing import Any

from llmopt_core.resources import Resource
from llmopt_core.resources.benchmark import BenchmarkSpec
from llmopt_core.resources.optimization import OptimizationSpec
from llmopt_core.storage.definitions import fingerprint

_MISSING = object()


Spec = OptimizationSpec | BenchmarkSpec


def changes_between(stored: Resource, given: Resource) -> tuple[str, ...]:
    """Return one `field: old -> new` for each difference that makes `given` another study."""
    if stored.kind != given.kind:
        return (f"kind: {stored.kind} -> {given.kind}",)
    return changed_fields(stored.spec, given.spec)


def changed_fields(stored: Spec, given: Spec) -> tuple[str, ...]:
    """Return one `spec.field: old -> new` for each difference of two specs of one kind."""
    before, after = (spec.model_dump(mode="json", by_alias=True) for spec in (stored, given))
    return tuple(
        difference
        for name, field in type(given).model_fields.items()
        if _makes_another_study(stored, given, name)
        for difference in _differences(
            f"spec.{field.alias}", before[field.alias or name], after[field.alias or name]
        )
    )


def _makes_another_study(stored: Spec, given: Spec, name: str) -> bool:
    mixed = stored.model_copy(update={name: getattr(given, name)})
    return fingerprint(mixed) != fingerprint(stored)


def _differences(path: str, before: Any, after: Any) -> Iterator[str]:
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys((*before, *after)):
            yield from _differences(f"{path}.{key}", before.get(key, _MISSING), after.get(key, _MISSING))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, pair in enumerate(zip(before, after, strict=True)):
            yield from _differences(f"{path}[{index}]", *pair)
    else:
        yield f"{path}: {_shown(before)} -> {_shown(after)}"


def _shown(value: Any) -> str:
    if value is _MISSING or value is None:
        return "(none)"
    return f"({len(value)} entries)" if isinstance(value, list | Mapping) else str(value)
