"""The parameters of an engine that a named model fixes. Pure."""

from collections.abc import Iterator, Mapping

from llmopt.named_models.entries import NamedModel
from llmopt_core.engines.model_fields import FIELDS, Meaning, Unusable
from llmopt_core.engines.registry import declaration_of
from llmopt_core.resources.faults import Fault, did_you_mean

Argument = int | str


def engine_arguments(model: NamedModel, engine: str) -> tuple[dict[str, Argument], tuple[Fault, ...]]:
    """Return the fixed parameters of `engine` for `model`, and the faults of fields that it cannot be given.

    The path of a fault is the field's name.
    """
    arguments: dict[str, Argument] = {}
    faults: list[Fault] = []
    if model.quantization is not None and model.quantization.load_in_4bit and model.quantization.load_in_8bit:
        faults.append(Fault("quantization", _shown(model, "quantization"), "load_in_4bit or load_in_8bit"))
        return arguments, tuple(faults)
    for field in FIELDS:
        if (value := _value(model, field)) is None:
            continue
        match _meaning(engine, field)(value):
            case Unusable(expected, hint):
                faults.append(Fault(field, _shown(model, field), f"{expected} with engine {engine}", hint))
            case meant:
                faults += (fault for name in meant if (fault := _twice(field, name, model)))
                faults += _refused(field, meant, engine)
                arguments |= meant
    faults += _refused("args", model.args, engine)
    return {**arguments, **model.args}, tuple(faults)


def _value(model: NamedModel, field: str) -> Argument | None:
    """Return the value of `field` as engines take it: for `quantization` its bits."""
    if field != "quantization":
        value: Argument | None = getattr(model, field)
        return value
    if (found := model.quantization) is None:
        return None
    return 4 if found.load_in_4bit else 8 if found.load_in_8bit else 0


def _shown(model: NamedModel, field: str) -> Argument | None:
    """Return the value of `field` as the file writes it."""
    if field != "quantization" or model.quantization is None:
        return _value(model, field)
    return ", ".join(f"{name}: true" for name in model.quantization.model_dump(exclude_defaults=True))


def _meaning(engine: str, field: str) -> Meaning:
    """Return what `field` means to `engine`, which may be one that knows its own parameters only."""
    declaration = declaration_of(engine)
    known = declaration.model_fields.get(field) if declaration is not None else None
    return known or (
        lambda _: Unusable("no value", "remove it, or write the engine's own parameter into args")
    )


def _twice(field: str, name: str, model: NamedModel) -> Fault | None:
    if name not in model.args:
        return None
    return Fault(
        f"args.{name}", model.args[name], f"{name} once", f"{field} means the same: remove one of them"
    )


def _refused(field: str, arguments: Mapping[str, Argument], engine: str) -> Iterator[Fault]:
    """Yield a fault for each parameter that the engine does not know, or not with this value."""
    declaration = declaration_of(engine)
    if declaration is None:
        return
    for name, value in arguments.items():
        place = f"args.{name}" if field == "args" else field
        known = declaration.parameters.get(f"engine.{name}")
        if known is None:
            names = [one.name for one in declaration.parameters.values() if one.group == "engine"]
            yield Fault(place, name, f"a parameter of {engine}", did_you_mean(name, names))
            continue
        try:
            known.parse(value)
        except ValueError:
            yield Fault(place, value, f"{known.expected} with engine {engine}")
