"""Values and ranges of a manifest against what the engine declares about each parameter."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from llmopt_core.engines.declarations import EngineDeclaration, ParameterDeclaration, When, by_full_name
from llmopt_core.resources.base import Scalar
from llmopt_core.resources.faults import Fault, did_you_mean
from llmopt_core.resources.searching import FloatRange, IntRange, SearchParameter, Space
from llmopt_core.search.configurations import Configuration, Value

_MAX_SHOTS = 32
_PROMPT = by_full_name(
    (
        ParameterDeclaration(
            "few_shot", "prompt", "int", When.REQUEST, 0, "worked examples before the question", 0, _MAX_SHOTS
        ),
        ParameterDeclaration("system", "prompt", "text", When.REQUEST, None, "the system message"),
        ParameterDeclaration("template", "prompt", "text", When.REQUEST, None, "holds {question}"),
    )
)


_PLACES: Mapping[str, str] = {
    "engine": "in engine.args, or searched in search.space.engine",
    "sampling": "in workload.sampling, or searched in search.space.sampling",
    "prompt": "in workload.prompt, or searched in search.space.prompt",
}


def typed(values: Mapping[str, Scalar], declaration: EngineDeclaration) -> dict[str, Value]:
    """Return sound `values` by full name in their declared types."""
    return {name: _declared(name, declaration).parse(value) for name, value in values.items()}


def scalar_fault(full_name: str, value: Scalar, declaration: EngineDeclaration, path: str) -> Fault | None:
    """Return what is wrong with giving `value` to the parameter `full_name`."""
    try:
        known = _declared(full_name, declaration)
    except KeyError:
        return _unknown(full_name, declaration, path)
    try:
        known.parse(value)
    except ValueError:
        return Fault(path, value, known.expected)
    return None


def entry_faults(
    values: Mapping[str, Scalar],
    declaration: EngineDeclaration,
    path: str,
    searched: Mapping[str, SearchParameter] | None = None,
) -> Iterator[Fault]:
    """Yield the faults of `values` by full name, which with `searched` must lie inside the space."""
    for full_name, value in values.items():
        place = f"{path}.{full_name}"
        if searched is not None and full_name not in searched:
            yield Fault(place, value, "a parameter of the search space", did_you_mean(full_name, searched))
        elif (fault := scalar_fault(full_name, value, declaration, place)) is not None:
            yield fault
        elif searched is not None and (inside := _outside(searched[full_name], value)) is not None:
            yield Fault(place, value, inside)


def space_faults(space: Space, fixed: Mapping[str, Value], declaration: EngineDeclaration) -> Iterator[Fault]:
    """Yield the faults of all dimensions; `fixed` is what the manifest fixes, by full name."""
    open_names = {full_name for full_name, _ in space.all_parameters()}
    base = {name: value for name, value in fixed.items() if name not in open_names}
    for group in ("engine", "sampling", "prompt"):
        for index, asked in enumerate(getattr(space, group)):
            path = f"spec.search.space.{group}[{index}]"
            full_name = f"{group}.{asked.name}"
            found = tuple(_dimension_faults(full_name, asked, declaration, path))
            yield from found
            if not found and (refusal := _hopeless(full_name, asked, base, declaration)):
                expected = f"a parameter that {declaration.name} accepts beside what is fixed"
                yield Fault(f"{path}.name", asked.name, expected, refusal)


def _dimension_faults(
    full_name: str, asked: SearchParameter, declaration: EngineDeclaration, path: str
) -> Iterator[Fault]:
    try:
        parameter = _declared(full_name, declaration)
    except KeyError:
        yield _unknown(full_name, declaration, f"{path}.name")
        return
    if asked.categorical is not None:
        for index, choice in enumerate(asked.categorical.choices):
            place = f"{path}.categorical.choices[{index}]"
            if (fault := scalar_fault(full_name, choice, declaration, place)) is not None:
                yield fault
    elif asked.int_ is not None:
        yield from _range_faults(parameter, asked.int_, "int", path)
    elif asked.float_ is not None:
        yield from _range_faults(parameter, asked.float_, "float", path)


def _range_faults(
    parameter: ParameterDeclaration, span: IntRange | FloatRange, kind: str, path: str
) -> Iterator[Fault]:
    if parameter.kind != kind:
        wanted = parameter.kind if parameter.kind in {"int", "float"} else "categorical"
        yield Fault(f"{path}.{kind}", None, f"{wanted}: {parameter.full_name} takes {parameter.expected}")
        return
    for end, value in (("low", span.low), ("high", span.high)):
        try:
            parameter.parse(value)
        except ValueError:
            yield Fault(f"{path}.{kind}.{end}", value, parameter.expected)


def _hopeless(
    full_name: str,
    asked: SearchParameter,
    base: Mapping[str, Value],
    declaration: EngineDeclaration,
) -> str | None:
    """Return why the engine refuses every value beside what is fixed, if the value is why."""
    refusals = []
    for value in _extremes(full_name, asked, declaration):
        refusals.append(declaration.conflicts(Configuration.from_flat({**base, full_name: value})))
        if not refusals[-1]:
            return None
    anyway = declaration.conflicts(Configuration.from_flat(base))
    own = [[refusal for refusal in of_value if refusal not in anyway] for of_value in refusals]
    return own[0][0] if own and all(own) else None


def _extremes(full_name: str, asked: SearchParameter, declaration: EngineDeclaration) -> tuple[Value, ...]:
    span = asked.int_ or asked.float_
    given = (span.low, span.high) if span else asked.categorical.choices if asked.categorical else ()
    parameter = _declared(full_name, declaration)
    return tuple(parameter.parse(value) for value in given)


def _outside(asked: SearchParameter, value: Scalar) -> str | None:
    """Return what was expected when `value` is not in the dimension."""
    if asked.categorical is not None:
        choices = asked.categorical.choices
        texts = [str(choice) for choice in choices]
        return None if str(value) in texts else f"one of the searched {', '.join(texts)}"
    span = asked.int_ or asked.float_
    if span is None:
        return None
    low, high, given = Decimal(span.low), Decimal(span.high), Decimal(value)
    if not low <= given <= high:
        return f"a value from {low} to {high}, as searched"
    step = None if span.log or span.step is None else Decimal(span.step)
    if step is not None and (given - low) % step != 0:
        return f"a value in steps of {step} from {low} on, as searched"
    return None


def _unknown(full_name: str, declaration: EngineDeclaration, path: str) -> Fault:
    known = {**declaration.parameters, **_PROMPT}
    group, _, name = full_name.partition(".")
    names = [other.name for other in known.values() if other.group == group]
    if not names:
        expected = f"engine.NAME, sampling.NAME or prompt.NAME of {declaration.name}"
        return Fault(path, full_name, expected, did_you_mean(full_name, known))
    expected = f"a parameter of {'the prompt' if group == 'prompt' else f'{declaration.name} ({group})'}"
    return Fault(path, name, expected, _named_otherwise(full_name, declaration) or did_you_mean(name, names))


def _named_otherwise(full_name: str, declaration: EngineDeclaration) -> str | None:
    """Return the parameter that the engine itself calls so, or that is of another group."""
    group, _, name = full_name.partition(".")
    word = name.lstrip("-").replace("-", "_")
    if other := declaration.other_names.get(f"{group}.{word}"):
        return f"did you mean {other.partition('.')[2]}?"
    if f"{group}.{word}" in declaration.parameters:
        return f"did you mean {word}?"
    known = {**declaration.parameters, **_PROMPT}
    found = next((each for each in known if each.partition(".")[2] == word), None)
    return f"{found} is set {_PLACES[known[found].group]}" if found else None


def _declared(full_name: str, declaration: EngineDeclaration) -> ParameterDeclaration:
    """The parameter called `full_name`; raises KeyError where there is none."""
    return _PROMPT[full_name] if full_name in _PROMPT else declaration.parameters[full_name]
