"""What the shell completes: names of studies, models, metrics, data sets and engines.

Each is called while a person types: it loads only what it needs, and prints nothing when that cannot be read.
"""

# ruff: noqa: PLC0415 - the command's own start must stay fast

from collections.abc import Iterable
from pathlib import Path

import typer

from llmopt_core.errors.classes import LlmoptError


def studies(context: typer.Context, incomplete: str) -> list[str]:
    """Return the studies of the results folder that was given, or of the usual one."""
    results = Path(context.params.get("results") or "results")
    return _beginning(incomplete, (file.parent.name for file in results.glob("*/manifest.yaml")))


def models(_context: typer.Context, incomplete: str) -> list[str]:
    """Return the models that models.yaml names."""
    from llmopt.named_models.registry import registered

    try:
        return _beginning(incomplete, registered())
    except LlmoptError:  # the command itself says what is wrong with the file
        return []


def compared(context: typer.Context, incomplete: str) -> list[str]:
    """Return what `llmopt compare` takes: models after --models, else studies."""
    return (models if context.params.get("models") else studies)(context, incomplete)


def metrics(_context: typer.Context, incomplete: str) -> list[str]:
    """Return the metrics of the catalogue."""
    from llmopt_core.metrics.catalog import all_metrics

    return _beginning(incomplete, all_metrics())


def datasets(_context: typer.Context, incomplete: str) -> list[str]:
    """Return the data sets that are installed; files are the shell's own to complete."""
    from llmopt_core.plugins import PluginGroup, plugin_names

    return _beginning(incomplete, plugin_names(PluginGroup.DATASETS))


def engines(_context: typer.Context, incomplete: str) -> list[str]:
    """Return the engines that are installed."""
    from llmopt_core.engines.registry import engine_names

    return _beginning(incomplete, engine_names())


def _beginning(incomplete: str, names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if name.startswith(incomplete))
