"""`workload.outputTokens` and `load.trace`: what cannot be asked of answers whose length is given."""

from collections.abc import Iterator, Mapping

from llmopt_core.engines.declarations import EngineDeclaration
from llmopt_core.metrics.catalog import is_scored
from llmopt_core.resources.faults import Fault
from llmopt_core.resources.presets import preset_space
from llmopt_core.resources.searching import Search
from llmopt_core.resources.serving import Workload
from llmopt_core.search.configurations import Value


def scored_faults(asked: Mapping[str, str], workload: Workload | None) -> Iterator[Fault]:
    """Yield the metrics (by path) that come from scores: an answer that goes on beyond its end has none."""
    if workload is None or not (field := _fixing(workload)):
        return
    for path, metric in asked.items():
        if is_scored(metric):
            expected = f"a metric of speed, memory or cost beside workload.{field}"
            yield Fault(
                path, metric, expected, "answers of a fixed length are not scored: remove one of them"
            )


def _fixing(workload: Workload) -> str:
    """Return the field by which answers have fixed lengths, if there is one."""
    if workload.output_tokens is not None:
        return "outputTokens"
    return "" if workload.load.trace is None else "load.trace"


def length_faults(workload: Workload | None, declaration: EngineDeclaration) -> Iterator[Fault]:
    """Yield a fault where the engine has no request field for the length of answers."""
    if workload is None or declaration.fixed_length is not None or not (field := _fixing(workload)):
        return
    expected = f"no {field}: engine {declaration.name} has no request field for the length of answers"
    yield Fault(f"spec.workload.{field}", workload.output_tokens, expected)


def searched_faults(
    workload: Workload | None, search: Search, declaration: EngineDeclaration, fixed: Mapping[str, Value]
) -> Iterator[Fault]:
    """Yield a fault where more than the engine is searched: without scores no prompt is better than another.

    `fixed` is what the manifest fixes, by full name.
    """
    if workload is None or not (field := _fixing(workload)):
        return
    space = search.space
    if search.preset is not None and not any(space.all_parameters()):
        space = preset_space(search.preset, declaration, fixed)
    others = [name for name, _ in space.all_parameters() if not name.startswith("engine.")]
    if others:
        expected = "a search of engine parameters alone, for answers of a fixed length are not scored"
        hint = f"take {', '.join(others)} out of the search, or remove {field}"
        yield Fault(f"spec.workload.{field}", workload.output_tokens, expected, hint)
