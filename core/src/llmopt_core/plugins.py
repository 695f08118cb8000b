"""Plug-ins by entry points: what this project brings and what other packages add are found the same way.

Names are read from the packages' metadata alone; a plug-in's code is imported only when it is used.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from llmopt_core.errors.classes import ErrorClass, LlmoptError


class PluginGroup(StrEnum):
    """The entry point groups, and what an object of each is."""

    ENGINES = "llmopt.engines"  # a subclass of llmopt_runner.engines.base.Engine
    DATASETS = "llmopt.datasets"  # a callable without arguments that returns a DatasetSource
    EVALUATORS = "llmopt.evaluators"  # a subclass of llmopt_runner.quality.base.Evaluator
    METRICS = "llmopt.metrics"  # a llmopt_core.metrics.catalog.Metric


class PluginNotFound(LlmoptError):
    """No package registers the name; the message names the nearest and all there are."""

    error_class = ErrorClass.INVALID_CONFIGURATION


class PluginBroken(LlmoptError):
    """A package registers the name, but what it registers cannot be used; the message names the package."""

    error_class = ErrorClass.INVALID_CONFIGURATION


@dataclass(frozen=True)
class Plugin:
    """One loaded plug-in and the package it came from."""

    name: str
    group: PluginGroup
    package: str
    value: Any

    def unfit(self, reason: str) -> PluginBroken:
        """Return the error that says why `value` is not what its group holds."""
        return PluginBroken(
            f"the package {self.package} registers {self.name!r} in {self.group.value}, but {reason}: "
            f"correct or uninstall {self.package}"
        )


def plugin_names(group: PluginGroup) -> tuple[str, ...]:
    """Return the names registered in `group`, sorted, without importing any plug-in."""
    return tuple(sorted({entry.name for entry in entry_points(group=group.value)}))


def load_plugin(group: PluginGroup, name: str) -> Plugin:
    """Import and return the plug-in `name`; raises PluginNotFound or PluginBroken."""
    entries = {entry.value: entry for entry in entry_points(group=group.value, name=name)}
    if not entries:
        raise PluginNotFound(_not_found(group, name))
    if len(entries) > 1:
        packages = ", ".join(sorted(_package(entry) for entry in entries.values()))
        raise PluginBroken(
            f"{name!r} in {group.value} is registered more than once, by {packages}: uninstall all but one"
        )
    return _load(group, next(iter(entries.values())))


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ` (did you mean 'x'?)` for the known name most like `name`, or nothing."""
    matches = get_close_matches(name, list(known), n=1)
    return f" (did you mean {matches[0]!r}?)" if matches else ""


def _not_found(group: PluginGroup, name: str) -> str:
    names = plugin_names(group)
    return (
        f"{name!r} is not among the installed {group.value}{nearest(name, names)}: "
        f"there are {', '.join(names) or 'none; reinstall llmopt'}"
    )


def _load(group: PluginGroup, entry: EntryPoint) -> Plugin:
    try:
        value = entry.load()
    except Exception as error:  # importing foreign code can fail in any way; one error says where
        raise PluginBroken(
            f"the package {_package(entry)} registers {entry.name!r} in {group.value} as {entry.value}, "
            f"which cannot be imported ({type(error).__name__}: {error}): "
            f"correct, update or uninstall {_package(entry)}"
        ) from error
    return Plugin(entry.name, group, _package(entry), value)


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else entry.module
