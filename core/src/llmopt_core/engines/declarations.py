"""What can be set on an engine: its parameters as data, so that a manifest is checked without the engine."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from types import MappingProxyType
from typing import Literal

from llmopt_core.engines.containers import EngineContainer
from llmopt_core.engines.engine_logs import NO_LOGS, EngineLogs
from llmopt_core.engines.first_settings import FirstSettings, Machine
from llmopt_core.engines.memory_parameters import NO_MEMORY_PARAMETERS, MemoryParameters
from llmopt_core.engines.model_fields import Meanings
from llmopt_core.engines.packaging import NO_PACKAGING, Packaging
from llmopt_core.engines.presets import SAMPLING_ONLY, PresetTable
from llmopt_core.engines.reference_tables import ReferenceTable
from llmopt_core.engines.servers import ServerDeclaration
from llmopt_core.search.configurations import Configuration, Group, Value

# In arguments, Kubernetes replaces $(NAME) by the value of a variable, which may come from a Secret.
EXPANSION = "$("
Kind = Literal["int", "float", "bool", "text"]
_ARTICLES: Mapping[Kind, str] = {"int": "a whole number", "float": "a decimal number", "text": "text"}


class When(StrEnum):
    """When a parameter takes effect, which decides what changing it costs."""

    LOAD = "load"  # a new server
    REQUEST = "request"  # the next request


@dataclass(frozen=True)
class ParameterDeclaration:
    """One parameter of an engine.

    `group` is `engine` for the server's settings, `sampling` for request fields, `prompt` for messages.
    `default` is what the engine does when nothing is set (None: decided by the model or the machine at run
    time). `low`, `high` bound numbers, both included; `choices` bounds text. `neutral` is the sampling value
    that switches the parameter off (None: leaving it out does). `changes_answers` marks a setting of the
    server that changes what is answered, and not only how fast, such as a number format. `tried` is False for
    one that no test of this project starts a real server with: it is declared as the engine documents it.
    """

    name: str
    group: Group
    kind: Kind
    when: When
    default: Value | None
    meaning: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] | None = None
    neutral: Value | None = None
    changes_answers: bool = False
    tried: bool = True

    def __post_init__(self) -> None:
        """Hold the default in the declared kind, so that nobody who fills it in need look again."""
        if self.default is not None:
            object.__setattr__(self, "default", self.normalised(self.default))

    @property
    def full_name(self) -> str:
        """The name with its group, such as `sampling.top_p`."""
        return f"{self.group}.{self.name}"

    @property
    def expected(self) -> str:
        """What a value must be, in words that complete "expected …"."""
        if self.choices is not None:
            return f"one of {', '.join(self.choices)}"
        if self.kind == "text" and self.group == "engine":
            return f"text without {EXPANSION}, which Kubernetes would replace by the value of a variable"
        if self.kind == "bool":
            return '"true" or "false", in quotes'
        low, high = _number_text(self.low), _number_text(self.high)
        if low and high:
            return f"{_ARTICLES[self.kind]} from {low} to {high}"
        bound = f" of at least {low}" if low else f" of at most {high}" if high else ""
        return _ARTICLES[self.kind] + bound

    def parse(self, text: int | str) -> Value:
        """Return the value that `text` from a manifest stands for; ValueError says what was expected."""
        value = _PARSERS[self.kind](text)
        if value is None or not self._within(value):
            raise ValueError(f"{text!r} is not {self.expected}")
        return value

    def normalised(self, value: Value) -> Value:
        """Return `value` in the declared kind, so that 1 and 1.0 are one configuration."""
        if isinstance(value, bool | str):
            return value
        if self.kind == "float":
            return float(value) + 0.0  # -0.0 becomes 0.0
        return int(value) if self.kind == "int" and float(value).is_integer() else value

    def _within(self, value: Value) -> bool:
        if self.choices is not None:
            return value in self.choices
        if isinstance(value, str):
            return self.group != "engine" or EXPANSION not in value
        if isinstance(value, bool):
            return True
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


def set_at_load(
    name: str,
    kind: Kind,
    meaning: str,
    *,
    default: Value | None = None,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] | None = None,
    changes_answers: bool = False,
    tried: bool = True,
) -> ParameterDeclaration:
    """Declare a setting of the server, which only a new one can change."""
    return ParameterDeclaration(
        name,
        "engine",
        kind,
        When.LOAD,
        default,
        meaning,
        low,
        high,
        choices,
        changes_answers=changes_answers,
        tried=tried,
    )


def set_by_request(
    name: str,
    kind: Kind,
    meaning: str,
    *,
    default: Value | None = None,
    neutral: Value | None = None,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] | None = None,
) -> ParameterDeclaration:
    """Declare a field of requests; without a default, the model's generation_config.json decides."""
    return ParameterDeclaration(
        name, "sampling", kind, When.REQUEST, default, meaning, low, high, choices, neutral=neutral
    )


@dataclass(frozen=True)
class EngineDeclaration:
    """One engine: parameters by full name, and rules that span several.

    `canonical` maps a configuration to the complete one that all with the same behaviour share: defaults
    are filled in where they are known, what has no effect is set to its neutral value, what the engine
    clamps is clamped. `conflicts` returns one sentence per combination the engine would refuse.
    `freezes_sampling` says whether a server started so keeps the sampling of its first request for its life.
    `server` says how a configuration is passed to a server elsewhere; None: it has no command line of ours.
    `fixed_length` returns what a request says beside its sampling so that the answer has exactly so many
    tokens; None: the engine has none. `asks_endpoint`: it starts no server, and asks one that runs already.
    `needs_gpu` says whether it runs on GPUs only, with what is fixed by full name. `logs`, `preset`, `memory`
    and `packaging` are what others read of it, instead of knowing it by name. `suited` returns what suits a
    machine to begin with; None: the engine does not. `model_fields` is what it makes of the fields that all
    engines share. `other_names` are words of its own command line for parameters, from one full name to the
    other. `container` is how its server runs in its own project's image. `tables` are those that its
    page in the reference has beside its parameters.
    """

    name: str
    summary: str
    needs_model_file: bool
    parameters: Mapping[str, ParameterDeclaration]
    canonical: Callable[[Configuration], Configuration]
    conflicts: Callable[[Configuration], tuple[str, ...]]
    freezes_sampling: Callable[[Configuration], bool] = lambda _configuration: False
    server: ServerDeclaration | None = None
    fixed_length: Callable[[int], Mapping[str, Value]] | None = None
    asks_endpoint: bool = False
    needs_gpu: Callable[[Mapping[str, Value]], bool] = lambda _fixed: False
    logs: EngineLogs = NO_LOGS
    preset: PresetTable = SAMPLING_ONLY
    memory: MemoryParameters = NO_MEMORY_PARAMETERS
    packaging: Packaging = NO_PACKAGING
    container: EngineContainer | None = None
    suited: Callable[[Machine], FirstSettings | None] = lambda _machine: None
    model_fields: Meanings = field(default_factory=dict)
    other_names: Mapping[str, str] = field(default_factory=dict)
    tables: tuple[ReferenceTable, ...] = ()

    @property
    def image(self) -> str | None:
        """The last part of the tag of the runners' image that has the engine; None: llmopt makes none."""
        return self.name if self.packaging.image == "" else self.packaging.image

    def load_part(self, configuration: Configuration) -> dict[str, Value]:
        """Return, by full name, what of `configuration` only a new server can change."""
        asked = self.request_part(configuration)
        return {
            name: value
            for name, value in configuration.flat().items()
            if self._is_set_at_load(name)
            or (name.startswith("sampling.") and name.removeprefix("sampling.") not in asked)
        }

    def request_part(self, configuration: Configuration) -> dict[str, Value]:
        """Return the sampling parameters, by plain name, that go with each request.

        Where the server keeps what its first request said, only a seed is left to say.
        """
        frozen = self.freezes_sampling(configuration)
        return {name: value for name, value in configuration.sampling.items() if not frozen or name == "seed"}

    def _is_set_at_load(self, full_name: str) -> bool:
        known = self.parameters.get(full_name)
        return full_name.startswith("engine.") if known is None else known.when is When.LOAD

    def changed(self, configuration: Configuration) -> Configuration:
        """Return the part of `configuration` that differs from the engine's defaults."""
        return Configuration.from_flat(
            {
                name: value
                for name, value in configuration.flat().items()
                if name not in self.parameters or value != self.parameters[name].default
            }
        )


def by_full_name(parameters: Iterable[ParameterDeclaration]) -> Mapping[str, ParameterDeclaration]:
    """Return `parameters` as an EngineDeclaration holds them."""
    return MappingProxyType({parameter.full_name: parameter for parameter in parameters})


def completed(
    configuration: Configuration, parameters: Mapping[str, ParameterDeclaration]
) -> dict[str, Value]:
    """Return `configuration` by full name, known defaults filled in and numbers in their declared kinds."""
    values = {name: known.default for name, known in parameters.items() if known.default is not None}
    for name, value in configuration.flat().items():
        values[name] = parameters[name].normalised(value) if name in parameters else value
    return values


def manifest_text(value: Value) -> int | str:
    """Return `value` as a manifest writes it (decimals and booleans as text); `parse` reads it back."""
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, float) else value


def _number_text(number: float | None) -> str:
    return "" if number is None else f"{number:.10g}"


def _int(text: int | str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None


def _float(text: int | str) -> float | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return float(number) if number.is_finite() else None


def _bool(text: int | str) -> bool | None:
    return {"true": True, "false": False}.get(str(text).lower())


def _text(text: int | str) -> str | None:
    return text if isinstance(text, str) else None


_PARSERS: Mapping[Kind, Callable[[int | str], Value | None]] = {
    "int": _int,
    "float": _float,
    "bool": _bool,
    "text": _text,
}
