"""Commands that take several options as one dataclass."""

import inspect
from collections.abc import Callable
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import partial
from typing import Any, get_type_hints


def spread(command: Callable[..., None]) -> Callable[..., None]:
    """Return `command` with the fields of its dataclass parameters as keyword parameters of their own."""
    signature = inspect.signature(command, eval_str=True)
    plain = [one for one in signature.parameters.values() if not is_dataclass(one.annotation)]
    groups = {
        name: one.annotation
        for name, one in signature.parameters.items()
        if is_dataclass(one.annotation) and isinstance(one.annotation, type)
    }

    def call(**values: Any) -> None:
        for name, kind in groups.items():
            values[name] = kind(**{field.name: values.pop(field.name) for field in fields(kind)})
        command(**values)

    parameters = [*plain, *(one for kind in groups.values() for one in _parameters(kind))]
    call.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]  # what inspect reads
    call.__annotations__ = {one.name: one.annotation for one in parameters}
    call.__name__, call.__doc__ = command.__name__, command.__doc__
    return call


def _parameters(kind: type) -> list[inspect.Parameter]:
    hints = get_type_hints(kind, include_extras=True)
    make = partial(inspect.Parameter, kind=inspect.Parameter.KEYWORD_ONLY)
    return [make(field.name, default=_default(field), annotation=hints[field.name]) for field in fields(kind)]


def _default(field: "Field[Any]") -> Any:
    return inspect.Parameter.empty if field.default is MISSING else field.default
