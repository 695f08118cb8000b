"""What was meant by a field or value that a manifest cannot have: the nearest right one, as it is written.

Names come from other tools, from other levels of the manifest, and from shorter forms of it. Where a field
belongs is found in the schema itself, so that a hint never names a field that is not there.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from types import MappingProxyType
from typing import Any

import yaml

from llmopt_core.engines.declarations import ParameterDeclaration
from llmopt_core.engines.registry import BUILT_IN
from llmopt_core.resources.faults import did_you_mean, dotted, nearest_name, there_are
from llmopt_core.resources.source_hints import hub_source
from llmopt_core.search.configurations import GROUPS

Schema = Mapping[str, Any]
Steps = Sequence[str | int]

_ANY = 0  # stands for the place of any entry of a list
_MOST_PLACES = 3
_LONGEST_EXAMPLE = 100
# Fields of other tools, by their name without its signs, and what they are called here.
OTHER_NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "algorithm": ("sampler",),
        "apikey": ("apiKeySecretRef",),
        "arguments": ("args",),
        "baseurl": ("url",),
        "clients": ("concurrency",),
        "direction": ("goal",),
        "evaluations": ("trials",),
        "file": ("path",),
        "iterations": ("trials",),
        "max": ("high",),
        "maximum": ("high", "max"),
        "maxnewtokens": ("maxTokens",),
        "maxtrials": ("trials",),
        "method": ("sampler",),
        "min": ("low",),
        "minimum": ("low", "min"),
        "ntrials": ("trials",),
        "numsamples": ("samples",),
        "optimizer": ("sampler",),
        "options": ("choices",),
        "parallelism": ("count", "concurrency"),
        "parameters": ("space",),
        "qps": ("rate",),
        "replicas": ("count",),
        "rps": ("rate",),
        "searchspace": ("space",),
        "systemprompt": ("system",),
        "timelimit": ("duration",),
        "timeout": ("duration", "trialTimeout"),
        "users": ("concurrency",),
        "values": ("choices",),
        "workers": ("count",),
    }
)
# Too many parts have these: only the nearest place that has one may be meant.
_COMMON = frozenset({"name", "key", "model", "engine", "args", "endpoint"})
# The field that a part is about, for those who write its value in the part's place.
SHORT_FORMS: Mapping[str, str] = MappingProxyType(
    {
        "budget": "trials",
        "candidates": "name",
        "dataset": "name",
        "engine": "name",
        "evaluator": "name",
        "load": "concurrency",
        "metadata": "name",
        "model": "source",
        "objective": "metric",
        "objectives": "metric",
        "prompt": "system",
        "pruner": "name",
        "runners": "count",
        "sampler": "name",
        "warmStartFrom": "name",
    }
)
OTHER_CHOICES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "asha": ("auto",),
        "bayes": ("auto", "gp"),
        "bayesian": ("auto", "gp"),
        "evolutionary": ("nsga2",),
        "genetic": ("nsga2",),
        "higher": ("maximize",),
        "hyperband": ("auto",),
        "lower": ("minimize",),
        "optuna": ("tpe",),
        "sobol": ("qmc",),
    }
)
_CONSTRAINT = re.compile(r"(\w+) *(>=?|<=?) *([\d.]+)", re.ASCII)
_FIXED_AT = MappingProxyType({"engine": "spec.engine.args", "sampling": "spec.workload.sampling"})
_CONFIRM = "it is on by default; confirm: {top: 0} switches it off"


def field_hint(steps: Steps, value: object, schema: Schema) -> str | None:
    """Return where the unknown field at `steps`, of this `value`, belongs; else the fields that there are."""
    *parent, name = steps
    siblings = fields_at(schema, parent)
    if same := _same(str(name), siblings):
        return f"did you mean {same}?"
    if "space" in parent and (written := _dimension_hint(parent, str(name), value)):
        return written
    if places := (_places(schema, parent, str(name)) or _parameter_places(parent, str(name))):
        return f"did you mean {' or '.join(places)}?"
    return did_you_mean(name, siblings)


def whole_hint(steps: Steps, value: object, schema: Schema) -> str | None:
    """Return how `value`, which stands in the place of a part with fields, is written; else its fields."""
    names = fields_at(schema, steps)
    if not names:
        return None
    owner = next((step for step in reversed(steps) if isinstance(step, str)), "")
    if owner == "confirm" and isinstance(value, bool):
        return _CONFIRM
    if owner == "constraints" and (found := _CONSTRAINT.fullmatch(str(value))):
        side = "min" if found[2].startswith(">") else "max"
        return f"write - {{metric: {found[1]}, {side}: '{found[3]}'}}"
    field = "name" if "space" in steps and owner in GROUPS else SHORT_FORMS.get(owner)
    if field in names and isinstance(value, str | int) and not isinstance(value, bool):
        text = (hub_source(str(value)) or value) if field == "source" else value
        written = {field: text} if isinstance(steps[-1], int) else {owner: {field: text}}
        return f"write {'- ' if isinstance(steps[-1], int) else ''}{_flow(written)}"
    return there_are(names)


def list_hint(steps: Steps, value: object) -> str | None:
    """Return how dimensions of the search space are written that are no list; None for other lists."""
    group = steps[-1]
    if "space" not in steps or group not in GROUPS or not isinstance(value, Mapping) or not value:
        return None
    return f"write {group}: [{', '.join(_flow(_dimension(str(name), each)) for name, each in value.items())}]"


def choice_hint(value: object, choices: Sequence[str]) -> str | None:
    """Return which of `choices` was meant by `value`; None where none is near."""
    meant = [each for each in OTHER_CHOICES.get(_plain(str(value)), ()) if each in choices]
    return f"did you mean {' or '.join(meant)}?" if meant else nearest_name(value, choices)


def range_hint(steps: Steps, schema: Schema) -> str | None:
    """Return what a rule of the schema expects of the decimal number at `steps`; None where there is none."""
    if not steps:
        return None
    rules = _at(schema, steps[:-1]).get("x-kubernetes-validations", ())
    found = (rule["message"] for rule in rules if rule.get("fieldPath") == f".{steps[-1]}")
    return next((message.removeprefix("expected ") for message in found), None)


def fields_at(schema: Schema, steps: Steps) -> tuple[str, ...]:
    """Return the names of the fields at `steps`."""
    return tuple(_at(schema, steps).get("properties", ()))


def _at(schema: Schema, steps: Steps) -> Schema:
    for step in steps:
        below = schema.get("items") if isinstance(step, int) else schema.get("properties", {}).get(step)
        schema = below or schema.get("additionalProperties", {})
    return schema


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _same(name: str, known: Iterable[str]) -> str | None:
    return next((each for each in known if _plain(each) == _plain(name)), None)


def _places(schema: Schema, parent: Steps, name: str) -> tuple[str, ...]:
    """Return the paths of what `name` may mean: those that share most with `parent`, the highest of them."""
    meant = {_plain(each) for each in (name, *OTHER_NAMES.get(_plain(name), ()))}
    paths = [path for path in all_paths(schema) if _plain(str(path[-1])) in meant]
    shared = {path: _shared(path, parent) for path in paths}
    if name == "name" and len(parent) <= 1:
        return ("metadata.name",)
    if name in _COMMON:
        paths = [path for path in paths if shared[path] == len(parent)]
    if not paths:
        return ()
    most = max(shared[path] for path in paths)
    near = [path for path in paths if shared[path] == most]
    highest = min(len(path) for path in near)
    found = [path for path in near if len(path) == highest]
    return tuple(_written(path, parent) for path in found) if len(found) <= _MOST_PLACES else ()


def _parameter_places(parent: Steps, name: str) -> tuple[str, ...]:
    """Return where an engine's parameter `name` is fixed, of an engine or of requests."""
    word = name.rpartition(".")[2]
    groups = {each.group for each in _parameters() if each.name == word} if "spec" in parent else ()
    return tuple(f"{place}.{word}" for group, place in _FIXED_AT.items() if group in groups)


def all_paths(schema: Schema, above: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of each field that a user writes."""
    for name, below in schema.get("properties", {}).items():
        path = (*above, name)
        if path != ("status",):
            yield path
            yield from all_paths(below, path)
    if "items" in schema:
        yield from all_paths(schema["items"], (*above, _ANY))


def _shared(path: Steps, parent: Steps) -> int:
    """Return how many steps of `path` are those of `parent`; entries of a list are alike."""
    pairs = zip(path, parent, strict=False)
    alike = [one == other or (isinstance(one, int) and isinstance(other, int)) for one, other in pairs]
    return alike.index(False) if False in alike else len(alike)


def _written(path: Steps, parent: Steps) -> str:
    """Return `path` with the places of `parent` where they are the same list."""
    shared = _shared(path, parent)
    return (
        dotted((*parent[:shared], *path[shared:])).replace(f"[{_ANY}]", "[]")
        if shared < len(parent)
        else (dotted((*parent, *path[shared:])))
    )


def _dimension_hint(parent: Steps, name: str, value: object) -> str | None:
    """Return how a dimension of the search space is written whose name stands in the place of a field."""
    group, _, plain = name.partition(".")
    if parent[-1] == "space":
        if not plain:
            plain, group = name, _group_of(name) or ""
        return f"write {group}: [{_flow(_dimension(plain, value))}]" if group in GROUPS else None
    if isinstance(parent[-1], int) and isinstance(value, list | Mapping) and _group_of(plain or name):
        return f"write - {_flow(_dimension(plain or name, value))}"
    return None


def _group_of(name: str) -> str | None:
    """Return the group of the parameter `name` of any engine; None where there is none."""
    return next((each.group for each in _parameters() if each.name == name), None)


def _parameters() -> Iterator[ParameterDeclaration]:
    return chain.from_iterable(declaration.parameters.values() for declaration in BUILT_IN.values())


def _dimension(name: str, value: object) -> dict[str, Any]:
    """Return the dimension that `value` probably means."""
    if isinstance(value, list):
        return {"name": name, "categorical": {"choices": value}}
    if not isinstance(value, Mapping):
        return {"name": name, "categorical": {"choices": [value]}}
    if {"int", "float", "categorical"} & value.keys():
        return {"name": name, **value}
    if choices := value.get("choices") or value.get("values"):
        return {"name": name, "categorical": {"choices": choices}}
    ends = {("low" if each == "min" else "high" if each == "max" else each): value[each] for each in value}
    of_decimals = any(each.name == name and each.kind == "float" for each in _parameters())
    if not of_decimals and all(isinstance(each, int) for each in ends.values()):
        return {"name": name, "int": ends}
    return {"name": name, "float": {end: str(each) for end, each in ends.items()}}


def _flow(value: object) -> str:
    """Return `value` on one line of YAML, shortened."""
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10**6, allow_unicode=True)
    text = text.strip()
    if isinstance(value, Mapping) and len(value) == 1 and text.startswith("{"):
        text = text[1:-1]
    return text if len(text) <= _LONGEST_EXAMPLE else f"{text[:_LONGEST_EXAMPLE]}…"
