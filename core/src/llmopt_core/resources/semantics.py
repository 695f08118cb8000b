"""The checks of a manifest that need the engine's declaration and the installed names.

Every check takes valid parts and yields faults; a part that is itself faulty is None and not checked further.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from types import SimpleNamespace

from llmopt_core.engines.declarations import EngineDeclaration
from llmopt_core.engines.endpoints import usual_endpoint
from llmopt_core.engines.registry import BUILT_IN, engines_of_files
from llmopt_core.metrics.catalog import CATALOG, is_scored
from llmopt_core.metrics.familiar_words import suggested_metrics
from llmopt_core.plugins import PluginBroken
from llmopt_core.resources.accelerators import resource_faults, searched_size_faults, size_faults
from llmopt_core.resources.answer_lengths import length_faults, scored_faults, searched_faults
from llmopt_core.resources.base import Scalar
from llmopt_core.resources.benchmark import Candidate
from llmopt_core.resources.faults import Fault, did_you_mean
from llmopt_core.resources.known import Known
from llmopt_core.resources.optimization import Budget, Constraint
from llmopt_core.resources.presets import preset_space
from llmopt_core.resources.ranges import entry_faults, scalar_fault, space_faults, typed
from llmopt_core.resources.searching import Search
from llmopt_core.resources.serving import Engine, Model, Workload
from llmopt_core.search.configurations import Configuration, Value

_HUB = "hf://"
_SLASHES_BEFORE_FILE = 2  # ORG/NAME/FILE
_NAME = re.compile(r"\b(?:engine|sampling|prompt)\.\w+")


def optimization_faults(parts: SimpleNamespace, known: Known) -> Iterator[Fault]:
    """Yield the faults of an optimization's spec."""
    asked = {
        f"spec.{field}[{index}].metric": one.metric
        for field in ("objectives", "constraints")
        for index, one in enumerate(getattr(parts, field) or ())
    }
    if parts.budget is not None and parts.budget.target is not None:
        asked["spec.budget.target.metric"] = parts.budget.target.metric
    yield from _metric_faults(asked, parts.workload, known)
    yield from _start_faults(asked)
    yield from _workload_faults(parts.workload, known)
    yield from scored_faults(asked, parts.workload)
    yield from _relative_faults(parts.constraints or ())
    yield from _score_faults(parts.constraints or (), parts.budget)
    yield from resource_faults(parts.runners)
    if parts.engine is None:
        return
    yield from _engine_faults(parts.engine, known, "spec.engine")
    if (declaration := _declared(parts.engine, known)) is not None:
        yield from _model_faults(parts.model, declaration)
        searched = [name for name, _ in parts.search.space.all_parameters()] if parts.search else ()
        yield from _fixed_faults(parts.engine, parts.workload, declaration, "spec.engine", searched)
        yield from _search_faults(parts, declaration)
        yield from _gpu_faults(parts, declaration)
        yield from length_faults(parts.workload, declaration)


def benchmark_faults(parts: SimpleNamespace, known: Known) -> Iterator[Fault]:
    """Yield the faults of a benchmark's spec."""
    asked = {f"spec.metrics[{index}]": metric for index, metric in enumerate(parts.metrics or ())}
    if parts.objective is not None:
        asked["spec.objective.metric"] = parts.objective.metric
        yield from _start_faults({"spec.objective.metric": parts.objective.metric})
    yield from _metric_faults(asked, parts.workload, known)
    yield from _workload_faults(parts.workload, known)
    yield from scored_faults(asked, parts.workload)
    yield from resource_faults(parts.runners)
    if parts.engine is not None:
        yield from _engine_faults(parts.engine, known, "spec.engine")
        if (declaration := _declared(parts.engine, known)) is not None:
            own = [name for each in parts.candidates or () if each.engine is None for name in each.parameters]
            yield from _fixed_faults(parts.engine, parts.workload, declaration, "spec.engine", own)
            yield from length_faults(parts.workload, declaration)
            fixed = _fixed_values(parts.engine, parts.workload, declaration)
            yield from size_faults(parts.runners, fixed, "spec.engine.args.")
    for index, candidate in enumerate(parts.candidates or ()):
        yield from _candidate_faults(candidate, parts, known, f"spec.candidates[{index}]")
    yield from dict.fromkeys(_served_faults(parts, known))


def _gpu_faults(parts: SimpleNamespace, declaration: EngineDeclaration) -> Iterator[Fault]:
    """Yield the faults of an optimization whose engine takes more GPUs than a runner is given."""
    fixed = _fixed_values(parts.engine, parts.workload, declaration)
    yield from size_faults(parts.runners, fixed, "spec.engine.args.")
    if parts.search is not None:
        yield from searched_size_faults(parts.runners, fixed, parts.search.space)


def _served_faults(parts: SimpleNamespace, known: Known) -> Iterator[Fault]:
    """Yield the faults of each candidate's model on its engine, its own or the shared ones."""
    for index, candidate in enumerate(parts.candidates or ()):
        engine = candidate.engine or parts.engine
        if candidate.optimization_ref is None and engine is not None:
            path = "spec.model" if candidate.model is None else f"spec.candidates[{index}].model"
            yield from _model_faults(candidate.model or parts.model, _declared(engine, known), path)


def _candidate_faults(
    candidate: Candidate, parts: SimpleNamespace, known: Known, path: str
) -> Iterator[Fault]:
    if candidate.engine is not None:
        yield from _engine_faults(candidate.engine, known, f"{path}.engine")
    engine = candidate.engine or parts.engine
    if engine is None or (declaration := _declared(engine, known)) is None:
        return
    if candidate.engine is not None:
        own = candidate.parameters
        yield from _fixed_faults(engine, parts.workload, declaration, f"{path}.engine", own)
        yield from length_faults(parts.workload, declaration)
    place = f"{path}.parameters"
    found = tuple(entry_faults(candidate.parameters, declaration, place))
    yield from found
    if not found:
        fixed = _fixed_values(engine, parts.workload, declaration)
        values = {**fixed, **typed(candidate.parameters, declaration)}
        yield from _conflict_faults(values, declaration, place)
        if candidate.engine is not None or candidate.parameters:  # else it is said of the shared engine
            yield from size_faults(parts.runners, values, f"{place}.engine.")


def _metric_faults(asked: Mapping[str, str], workload: Workload | None, known: Known) -> Iterator[Fault]:
    for path, metric in asked.items():
        if metric not in known.metrics:
            yield Fault(path, metric, "a metric of the catalogue", suggested_metrics(metric, known.metrics))
    produced = _produced(workload, known)
    if produced is None:
        return
    for path, metric in asked.items():
        if is_scored(metric) and metric not in produced:
            expected = f"a metric that the workload's evaluator gives: {', '.join(produced)}"
            yield Fault(path, metric, expected, "or set workload.evaluator.name to one that gives it")


def _start_faults(asked: Mapping[str, str]) -> Iterator[Fault]:
    """Yield where results depend on the engine's start: trials on an engine that runs already have none."""
    for path, metric in asked.items():
        if metric == "engine_start_seconds":
            hint = "an engine that runs already is not started again; the report has the times of the starts"
            yield Fault(path, metric, "a metric that every trial measures", hint)


def _relative_faults(constraints: Sequence[Constraint]) -> Iterator[Fault]:
    """Yield the relative bounds that no value can break, or none can keep: a share of -1 is nothing left."""
    for index, constraint in enumerate(constraints):
        field, bound = ("min", constraint.min) if constraint.min is not None else ("max", constraint.max)
        metric = CATALOG.get(constraint.metric)
        if constraint.relative_to is None or bound is None or metric is None:
            continue
        path = f"spec.constraints[{index}].{field}"
        if metric.scale == "ratio" and Decimal(bound) <= -1:
            expected = "a share of the baseline's value above -1"
            yield Fault(path, bound, expected, 'for example max: "0.1", which allows 10 % more')
        elif metric.scale == "bounded" and abs(Decimal(bound)) > 1:
            expected = "a difference to the baseline's value from -1 to 1"
            yield Fault(path, bound, expected, 'for example min: "-0.02", which allows 0.02 less')


def _score_faults(constraints: Sequence[Constraint], budget: Budget | None) -> Iterator[Fault]:
    """Yield the bounds and targets of scores and ratios that none of their values, 0 to 1, can have."""
    asked = [
        (f"spec.constraints[{index}].{field}", constraint.metric, bound)
        for index, constraint in enumerate(constraints)
        if constraint.relative_to is None
        for field, bound in (("min", constraint.min), ("max", constraint.max))
        if bound is not None
    ]
    if budget is not None and budget.target is not None:
        asked.append(("spec.budget.target.value", budget.target.metric, budget.target.value))
    for path, name, bound in asked:
        metric = CATALOG.get(name)
        if metric is not None and metric.scale == "bounded" and not 0 <= Decimal(bound) <= 1:
            yield Fault(path, bound, f"a number from 0 to 1, as {name} is", "0.6 is 60 %")


def _produced(workload: Workload | None, known: Known) -> tuple[str, ...] | None:
    """Return the metrics of the workload's evaluator, None where they are not known."""
    if workload is None:
        return None
    try:
        evaluator = workload.evaluator.name if workload.evaluator else _own_evaluator(workload, known)
        return known.metrics_of(evaluator) if evaluator in known.evaluators else None
    except PluginBroken:
        return None  # the runner says so, with the package's name, before it measures


def _own_evaluator(workload: Workload, known: Known) -> str | None:
    name = workload.dataset.name
    return known.evaluator_of(name) if name in known.datasets else None


def _workload_faults(workload: Workload | None, known: Known) -> Iterator[Fault]:
    if workload is None:
        return
    dataset, evaluator = workload.dataset.name, workload.evaluator
    if dataset is not None and dataset not in known.datasets:
        hint = did_you_mean(dataset, known.datasets)
        yield Fault("spec.workload.dataset.name", dataset, "an installed data set", hint)
    elif dataset is not None and workload.load.conversations is not None:
        yield from _conversation_faults(dataset, known)
    if evaluator is not None and evaluator.name not in known.evaluators:
        hint = did_you_mean(evaluator.name, known.evaluators)
        yield Fault("spec.workload.evaluator.name", evaluator.name, "an installed evaluator", hint)


def _conversation_faults(dataset: str, known: Known) -> Iterator[Fault]:
    """Yield a fault where no item of the built-in data set has a second turn; files show it when read."""
    try:
        lacks = known.holds_conversations(dataset) is False
    except PluginBroken:
        return  # the runner says so, with the package's name, before it measures
    if lacks:
        hint = "take arithmetic_conversations or data of your own, or remove load.conversations"
        expected = "a data set of conversations, as load.conversations asks for"
        yield Fault("spec.workload.dataset.name", dataset, expected, hint)


def _engine_faults(engine: Engine, known: Known, path: str) -> Iterator[Fault]:
    if engine.name not in known.engines:
        hint = _endpoint_hint(engine.name) or did_you_mean(engine.name, known.engines)
        yield Fault(f"{path}.name", engine.name, "an installed engine", hint)
        return
    try:
        known.declaration(engine.name)
    except PluginBroken as error:
        yield Fault(f"{path}.name", engine.name, "an engine that can be loaded", str(error))


def _endpoint_hint(name: str) -> str | None:
    if (url := usual_endpoint(name)) is None:
        return None
    return (
        f"{name} is a server that runs already: write name: openai, and endpoint: {{url: {url}, model: NAME}}"
        " with the server's own name of the model"
    )


def _model_faults(
    model: Model | None, declaration: EngineDeclaration | None, path: str = "spec.model"
) -> Iterator[Fault]:
    """Yield a fault where a source of the hub is one file for whole repositories' engine, or the reverse."""
    if model is None or declaration is None or not model.source.startswith(_HUB):
        return
    repository, _, revision = model.source.removeprefix(_HUB).partition("@")
    is_file = repository.count("/") >= _SLASHES_BEFORE_FILE
    if declaration.needs_model_file and not is_file:
        expected = f"a file of the repository, for engine {declaration.name} serves one"
        hint = f"name it, as in hf://ORG/NAME/FILE.gguf, or use engine {_of_repositories()}"
        yield Fault(f"{path}.source", model.source, expected, hint)
    elif is_file and declaration.name in BUILT_IN and not _serves_files(declaration):
        whole = "/".join(repository.split("/")[:_SLASHES_BEFORE_FILE]) + (f"@{revision}" if revision else "")
        expected = f"a repository without a file's name, for engine {declaration.name} serves all its weights"
        files = repository.lower().endswith(".gguf")
        hint = f"use engine {engines_of_files()} for this file" if files else f"write {_HUB}{whole}"
        yield Fault(f"{path}.source", model.source, expected, hint)


def _serves_files(declaration: EngineDeclaration) -> bool:
    """Say whether it serves one file, or has a server elsewhere, which has the files."""
    return declaration.needs_model_file or declaration.asks_endpoint


def _of_repositories() -> str:
    """Name the engines that serve a whole repository."""
    engines = (each for each in BUILT_IN.values() if not (each.needs_model_file or each.asks_endpoint))
    return " or ".join(each.name for each in engines)


def _declared(engine: Engine, known: Known) -> EngineDeclaration | None:
    try:
        return known.declaration(engine.name)
    except PluginBroken:
        return None  # said by _engine_faults


def _fixed_faults(
    engine: Engine,
    workload: Workload | None,
    declaration: EngineDeclaration,
    path: str,
    later: Collection[str] = (),
) -> Iterator[Fault]:
    found = [
        *_group_faults(engine.args, "engine", declaration, f"{path}.args"),
        *_group_faults(
            workload.sampling if workload else {}, "sampling", declaration, "spec.workload.sampling"
        ),
    ]
    yield from found
    if not found:
        values = _fixed_values(engine, workload, declaration)
        yield from _conflict_faults(values, declaration, f"{path}.args", later)


def _group_faults(
    values: Mapping[str, Scalar], group: str, declaration: EngineDeclaration, path: str
) -> Iterator[Fault]:
    for name, value in values.items():
        if (fault := scalar_fault(f"{group}.{name}", value, declaration, f"{path}.{name}")) is not None:
            yield fault


def _search_faults(parts: SimpleNamespace, declaration: EngineDeclaration) -> Iterator[Fault]:
    if parts.search is None:
        return
    fixed = _fixed_values(parts.engine, parts.workload, declaration)
    yield from space_faults(parts.search.space, fixed, declaration)
    yield from _preset_faults(parts.search, fixed, declaration)
    yield from searched_faults(parts.workload, parts.search, declaration, fixed)
    searched = dict(parts.search.space.all_parameters())
    for index, entry in enumerate(parts.search.enqueue):
        path = f"spec.search.enqueue[{index}]"
        found = tuple(entry_faults(entry, declaration, path, searched))
        yield from found
        if not found:
            later = searched.keys() - entry.keys()
            yield from _conflict_faults({**fixed, **typed(entry, declaration)}, declaration, path, later)


def _preset_faults(
    search: Search, fixed: Mapping[str, Value], declaration: EngineDeclaration
) -> Iterator[Fault]:
    """Yield a fault where a preset that stands for the space leaves nothing to search."""
    if search.preset is None or any(search.space.all_parameters()):
        return
    if not any(preset_space(search.preset, declaration, fixed).all_parameters()):
        expected = f"a preset that leaves something to search on engine {declaration.name}"
        yield Fault("spec.search.preset", search.preset, expected, "write a space, or fix less")


def _fixed_values(
    engine: Engine, workload: Workload | None, declaration: EngineDeclaration
) -> dict[str, Value]:
    """Return what the manifest fixes, by full name; values that are faulty are left out."""
    given = {f"engine.{name}": value for name, value in engine.args.items()}
    given |= {f"sampling.{name}": value for name, value in (workload.sampling if workload else {}).items()}
    sound = {
        name: value for name, value in given.items() if scalar_fault(name, value, declaration, "") is None
    }
    return typed(sound, declaration)


def _conflict_faults(
    values: Mapping[str, Value], declaration: EngineDeclaration, path: str, later: Collection[str] = ()
) -> Iterator[Fault]:
    """Yield a fault for each conflict among `values`, but for those that name a parameter set `later`.

    What is searched, or what a candidate sets, may be just what is missing.
    """
    for conflict in declaration.conflicts(Configuration.from_flat(values)):
        if not set(_NAME.findall(conflict)) & set(later):
            yield Fault(path, None, f"what {declaration.name} accepts together", conflict)
