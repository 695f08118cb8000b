"""What of a study's result is to be served: its command, its model, its image and its resources."""

import math
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from llmopt.option_labels import labelled
from llmopt_core.engines.containers import EngineContainer
from llmopt_core.engines.recommendations import Recommendation, recommend
from llmopt_core.engines.registry import usable_declarations
from llmopt_core.engines.servers import ModelReference
from llmopt_core.errors.classes import LlmoptError
from llmopt_core.resources import Resource
from llmopt_core.resources.base import NAME_PATTERN
from llmopt_core.resources.search_spaces import complete
from llmopt_core.resources.serving import SOURCE_PATTERN, Engine, Model, SecretKey
from llmopt_core.results.prompts import Messages
from llmopt_core.results.results import OptimizationResult, Result, winner_of
from llmopt_core.search.configurations import Value
from llmopt_core.storage.definitions import engine_declaration, fixed_parameters
from llmopt_core.storage.records import Serving, StudyDefinition, TrialRecord

_GPU_RESOURCES = ("nvidia.com/gpu", "amd.com/gpu")
_MIB_STEP = 256
_VERSION = re.compile(r"[\w.+-]+ [\w.+-]{1,64}")
# The peak was measured once; a server that lives for weeks holds somewhat more.
_MEMORY_MARGIN = 1.25


class NotExportable(LlmoptError):
    """A result cannot be deployed as it was asked for; the message says what to do."""


@dataclass(frozen=True)
class Asked:
    """What a person wants otherwise than the result has it; None: as it is.

    `model` is a source as in a manifest; `candidate` is one of a benchmark's.
    """

    name: str | None = None
    image: str | None = None
    model: str | None = None
    gpus: int | None = None
    candidate: str | None = None

    def check(self) -> None:
        """Raise NotExportable where an option cannot be used as it was given."""
        if self.model is not None and not re.fullmatch(SOURCE_PATTERN, self.model):
            raise NotExportable(
                f"{labelled('--model', self.model)}: expected hf://ORG/NAME, pvc://CLAIM/PATH or file:///PATH"
            )
        if self.name is not None and not re.fullmatch(NAME_PATTERN, self.name):
            raise NotExportable(f"{labelled('--name', self.name)}: expected lower-case letters, digits and -")


@dataclass(frozen=True)
class Served:
    """A server to deploy; `environment` are the variables of its command, `notes` say what is served and why.

    `messages` are those of a request, none where it is the question alone. `program` is what is
    started in the image, `needs` what it must have besides the engine ("": nothing). `gpus` are counted as
    `gpu_resource`; `memory_mib` is what was measured, with a margin.
    """

    name: str
    container: EngineContainer
    program: str
    image: str
    arguments: tuple[str, ...]
    source: str
    notes: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    request_fields: Mapping[str, Any] = field(default_factory=dict)
    messages: Messages = ()
    token: SecretKey | None = None
    gpus: int = 0
    gpu_resource: str = _GPU_RESOURCES[0]
    memory_mib: int | None = None
    measured: str = ""  # the engine and its version, as it reported them
    needs: str = ""

    @property
    def scheme(self) -> str:
        """How the model is found: hf, pvc, file or package."""
        return self.source.partition("://")[0]


def served(
    resource: Resource,
    definition: StudyDefinition,
    trials: Sequence[TrialRecord],
    result: Result,
    asked: Asked,
) -> Served:
    """Return what of `result`, of a study with these `trials`, is to be deployed. Raises NotExportable."""
    asked.check()
    chosen = _chosen(definition, result, asked)
    model, engine = Model.model_validate(chosen.serving.model), Engine.model_validate(chosen.serving.engine)
    model = model.model_copy(update={"source": asked.model or model.source})
    container = _container(engine)
    gpu_resource, gpus = _gpus(resource, asked.gpus)
    measured = _version(trials, chosen.place)
    recommended = _recommended(resource, chosen, model, engine)
    environment, program, arguments = _parts(recommended.command or "")
    return Served(
        name=asked.name or resource.metadata.name,
        container=container,
        program=program if recommended.needs else container.program,
        image=_image(asked.image, container.image_for(gpus, measured), gpu_resource, engine),
        arguments=(*arguments, *container.listening),
        source=model.source,
        notes=chosen.notes,
        environment=environment,
        request_fields=recommended.request_fields,
        messages=result.messages_of(chosen.shown) or (),
        token=model.token_secret_ref,
        gpus=gpus,
        gpu_resource=gpu_resource,
        memory_mib=_memory_mib(chosen.metrics),
        measured=measured,
        needs=recommended.needs,
    )


@dataclass(frozen=True)
class _Chosen:
    """The configuration that is deployed, what was measured of it, and why it is this one.

    `place` is that of a benchmark's candidate. `shown` is the trial, or the candidate, that it is known by.
    """

    serving: Serving
    parameters: Mapping[str, Value]
    metrics: Mapping[str, float]
    notes: tuple[str, ...]
    shown: int | str | None
    place: int | None = None


def _chosen(definition: StudyDefinition, result: Result, asked: Asked) -> _Chosen:
    if isinstance(result, OptimizationResult):
        if asked.candidate is not None:
            raise NotExportable(f"{labelled('--candidate', asked.candidate)}: {result.study} is no benchmark")
        return _best(definition, result)
    name = asked.candidate or result.winner
    if name is None:
        known = ", ".join(each.name for each in definition.candidates)
        raise NotExportable(f"the benchmark has no winner: name a candidate by --candidate: {known}")
    return _candidate(definition, result, name)


def _best(definition: StudyDefinition, result: OptimizationResult) -> _Chosen:
    serving = definition.serving
    if result.trial is None or serving is None:
        raise NotExportable("the study has no result yet: nothing was measured")
    parameters = {
        f"{group}.{name}": value for group, own in result.parameters.items() for name, value in own.items()
    }
    if result.keep_default:
        kept = "the default: the repeats verified nothing that is worth serving in its place"
        return _Chosen(serving, parameters, result.default_metrics, (result.headline, kept), result.reference)
    how = "verified by repeats" if result.confirmed else "not verified by repeats"
    notes = (result.headline, f"trial {result.trial}, {how}")
    return _Chosen(serving, parameters, result.metrics, notes, result.trial)


def _candidate(definition: StudyDefinition, result: Result, name: str) -> _Chosen:
    candidate = next((each for each in definition.candidates if each.name == name), None)
    if candidate is None or candidate.serving is None:
        known = ", ".join(each.name for each in definition.candidates)
        raise NotExportable(f"{labelled('--candidate', name)}: expected one of {known}")
    assert not isinstance(result, OptimizationResult)  # noqa: S101 - said by its caller
    won = winner_of(result.status)
    is_winner = won is not None and won.candidate == name
    measured = next((each for each in result.candidates if each.candidate == name), None)
    metrics = {} if measured is None else {key: each.mean for key, each in measured.metrics.items()}
    notes = (result.headline, f"candidate {name}" + ("" if is_winner else ", which is not the winner"))
    place = definition.candidates.index(candidate)
    return _Chosen(candidate.serving, candidate.parameters, metrics, notes, name, place)


def _container(engine: Engine) -> EngineContainer:
    containers = {name: each.container for name, each in usable_declarations().items()}
    container = containers.get(engine.name)
    if container is None:
        known = ", ".join(sorted(name for name, each in containers.items() if each))
        raise NotExportable(
            f"spec.engine.name {engine.name!r}: there is no server to deploy; it is one of {known}"
        )
    return container


def _image(asked: str | None, own: str | None, gpu_resource: str, engine: Engine) -> str:
    """Return the image that was asked for, else the engine's own, which is for NVIDIA GPUs or for none."""
    if asked is not None:
        return asked
    if own is None:
        raise NotExportable(f"engine {engine.name} has no image of its own: name one by --image")
    if gpu_resource != _GPU_RESOURCES[0]:
        raise NotExportable(f"the image {own} is not for {gpu_resource}: name one by --image")
    return own


def _recommended(resource: Resource, chosen: _Chosen, model: Model, engine: Engine) -> Recommendation:
    """Return how the configuration is served from where the model is; always with a command."""
    declaration = engine_declaration(engine)
    fixed = fixed_parameters(engine, resource.spec.workload, declaration)
    configuration = complete(dict(chosen.parameters), dict(fixed), declaration)
    reference = ModelReference.of(model.source, trust_remote_code=model.trust_remote_code)
    recommended = recommend(declaration, reference, configuration, searched=chosen.parameters, fixed=fixed)
    if recommended.command is None:
        raise NotExportable(f"spec.model.source {model.source!r} cannot be served by {engine.name}")
    return recommended


def _version(trials: Sequence[TrialRecord], place: int | None) -> str:
    """Return the engine and its version, as its trials (of one candidate) report it; "" where none does."""
    for trial in trials:
        if trial.outcome is not None and place in {None, trial.candidate}:
            version = str(trial.outcome.facts.get("engine_version", ""))
            if _VERSION.fullmatch(version):
                return version
    return ""


def _parts(command: str) -> tuple[dict[str, str], str, tuple[str, ...]]:
    """Return the environment, the program and the arguments of a recommended command."""
    words = shlex.split(command.partition("\n")[0], comments=True)
    environment = {}
    if words[0] == "env":
        words = words[1:]
        while "=" in words[0]:
            name, _, value = words.pop(0).partition("=")
            environment[name] = value
    return environment, words[0], tuple(words[1:])


def _gpus(resource: Resource, asked: int | None) -> tuple[str, int]:
    limits = resource.spec.runners.resources.limits | resource.spec.runners.resources.requests
    name = next((each for each in _GPU_RESOURCES if each in limits), _GPU_RESOURCES[0])
    return name, int(limits.get(name, 0)) if asked is None else asked


def _memory_mib(metrics: Mapping[str, float]) -> int | None:
    peak = metrics.get("peak_memory_mib")
    return None if peak is None else math.ceil(peak * _MEMORY_MARGIN / _MIB_STEP) * _MIB_STEP
