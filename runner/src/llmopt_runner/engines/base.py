"""What an engine is to the runner: a command line, request fields and facts; never an imported library.

The process itself, its readiness and its end are the same for all engines: see `server.EngineServer`.
"""

import os
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Protocol

from llmopt_core.engines.declarations import EngineDeclaration
from llmopt_core.engines.gpus import Gpu
from llmopt_core.engines.servers import ModelReference
from llmopt_core.plugins import PluginGroup, PluginNotFound, load_plugin, nearest
from llmopt_core.search.configurations import Configuration, Value
from llmopt_runner.engines.failures import EngineNotFound, UnsupportedParameter
from llmopt_runner.guard.levels import NOTHING_RESERVED, GpuReserve
from llmopt_runner.memory.needs import MemoryNeed
from llmopt_runner.memory.shapes import ModelShape
from llmopt_runner.models.resolution import ModelNotFound, hub_snapshot
from llmopt_runner.transport.messages import readable

_VERSION = re.compile(r"\d+\.\d+")


@dataclass(frozen=True)
class LaunchSettings:
    """What one server is started with.

    `model_path` is None where the engine loads by name (`model_id`, at `model_revision` if one is given).
    `port` 0 lets the server pick a free one. `parameters` are those of the engine group, complete and
    canonical. `sampling` goes with the very first request: an engine may keep what that one said for all
    later ones. `model_token` is for the hub, where the engine loads from there itself. `endpoint_url` and
    `api_key` are for servers that run already.
    """

    model_path: Path | None
    model_id: str
    workdir: Path
    log_path: Path
    host: str = "127.0.0.1"
    port: int = 0
    parameters: Mapping[str, Value] = field(default_factory=dict)
    sampling: Mapping[str, Value] = field(default_factory=dict)
    model_revision: str | None = None
    model_token: str | None = field(default=None, repr=False)
    trust_remote_code: bool = False
    endpoint_url: str | None = None
    endpoint_model: str | None = None
    api_key: str | None = field(default=None, repr=False)

    @property
    def model_reference(self) -> ModelReference:
        """How the model is passed to a server."""
        if self.model_path is not None:
            return ModelReference(
                self.model_id, str(self.model_path), trust_remote_code=self.trust_remote_code
            )
        return ModelReference(
            self.model_id,
            repository=self.model_id,
            revision=self.model_revision,
            trust_remote_code=self.trust_remote_code,
        )

    @property
    def model_files(self) -> Path | None:
        """Where the model's files are on this machine; None: the hub's cache has them not, or not yet."""
        return self.model_path or hub_snapshot(self.model_id, self.model_revision)


@dataclass(frozen=True)
class ServerCommand:
    """A server's command line, and the environment variables it gets beside the runner's own."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)


def hub_variables(settings: LaunchSettings) -> dict[str, str]:
    """Return the environment variables by which an engine may load a model that is not everybody's.

    One whose model is on this machine loads nothing, and gets no token.
    """
    token = settings.model_token or os.environ.get("HF_TOKEN")
    return {"HF_TOKEN": token} if token and settings.model_path is None else {}


class Reachable(Protocol):
    """A server that runs."""

    @property
    def base_url(self) -> str:
        """The server's address."""


class Engine(ABC):
    """One inference server with an OpenAI-compatible HTTP API. Stateless: one object serves many starts."""

    declaration: ClassVar[EngineDeclaration]
    # How long a server may refuse to answer before it counts as not there, and how long where it answered
    # in the same study before or loads a model for its first answer; None: as long as it may start.
    patience_seconds: ClassVar[float | None] = None
    restart_seconds: ClassVar[float | None] = None
    metrics_path: ClassVar[str | None] = "/metrics"
    # Whether `read_counters` finds anything: else the server is not asked.
    counts: ClassVar[bool] = False
    # A line of the log after which a server that still lives will never serve as it should; None: it ends.
    hopeless: ClassVar[re.Pattern[str] | None] = None

    @abstractmethod
    def installed(self) -> str | None:
        """Return the version of the program that would be run, None when there is none."""

    @abstractmethod
    def command(self, settings: LaunchSettings) -> ServerCommand | None:
        """Return how the server is started, None when it runs already; raises EngineNotInstalled."""

    @abstractmethod
    def serve_arguments(self, configuration: Configuration, settings: LaunchSettings) -> str:
        """Return the shell commands, one a line, that serve the model as `configuration` says."""

    @abstractmethod
    def make_fresh(self, server: "Reachable", configuration: Configuration) -> bool:
        """Make a loaded `server` as good as a new one for `configuration`; False: it must be loaded again.

        What an earlier trial left in a server (a prefix cache, sampling parameters frozen by its first
        request) would flatter or falsify the next one.
        """

    def stays_warm(self, configuration: Configuration) -> bool:
        """Say whether a server that served a trial, and was made fresh, is as warm as any warm-up makes it.

        Not where a warm-up brings back what making it fresh took, such as the prefix that all prompts share,
        nor where what a warm-up brings depends on what is asked.
        """
        del configuration
        return False

    def request_fields(self, sampling: Mapping[str, Value]) -> dict[str, Any]:
        """Return the body fields of a chat completion that make `sampling` take effect.

        Raises:
            UnsupportedParameter: the engine does not declare one of them.
        """
        self._require_all_declared(Configuration(sampling=sampling))
        return dict(sampling)

    def fixed_length_fields(self, sampling: Mapping[str, Value], output_tokens: int) -> dict[str, Any]:
        """Return the body fields for `sampling` under which every answer has exactly `output_tokens`.

        Raises:
            UnsupportedParameter: the engine does not declare a parameter, or has no field for the length.
        """
        return {**self.request_fields(sampling), **self._fixed_length(output_tokens)}

    def _fixed_length(self, output_tokens: int) -> Mapping[str, Value]:
        if self.declaration.fixed_length is None:
            raise UnsupportedParameter(
                f"engine {self.declaration.name} has no request field for the length of answers: remove"
                " spec.workload.outputTokens"
            )
        return self.declaration.fixed_length(output_tokens)

    @abstractmethod
    def read_facts(self, log_text: str, metrics_text: str) -> dict[str, Any]:
        """Return the server's reports about itself; sizes in MiB, times in seconds, by unit in the name."""

    def read_counters(self, metrics_text: str) -> dict[str, float]:
        """Return counts that only grow while the server lives; a trial gets how much they grew."""
        del metrics_text
        return {}

    def memory_need(  # noqa: B027 - None is the answer of an engine that cannot estimate it
        self, shape: ModelShape, configuration: Configuration
    ) -> MemoryNeed | None:
        """Return what `configuration` will ask of memory for a model of `shape`; None: it is not known.

        What is not known is left out: a configuration that surely does not fit is refused without a start.
        Raises LayoutUnknown, which says what of it is not understood: then nothing is refused.
        """

    def unsupported(
        self, shape: ModelShape | None, configuration: Configuration, gpus: Sequence[Gpu]
    ) -> tuple[str, ...]:
        """Return one sentence for each parameter that goes with no start: with the model, or on these GPUs.

        `shape` is the model's, None: not known; `gpus` are those that the engine sees, none where they are
        not known. What is not known refuses nothing. The rules are those of the declared version.
        """
        del shape, configuration, gpus
        return ()

    def context_tokens(self, model: Path) -> int | None:
        """Return how many tokens a prompt and its answer may have, where the server does not look at it.

        `model` is where its files are. None: the server itself refuses or cuts what is longer, or nobody
        knows.
        """
        del model
        return None

    def count_tokens(self, model: Path, prompts: Sequence[str]) -> Sequence[int] | None:
        """Return how many tokens each of `prompts` has at least; None: that is not known."""
        del model, prompts
        return None

    def gpu_reserve(self, configuration: Configuration) -> GpuReserve:
        """Return what the server takes of each GPU on purpose, and then stays below.

        The guard's percentages are of what this leaves. Nothing where memory is taken as it is needed.
        """
        del configuration
        return NOTHING_RESERVED

    def cache_takes_rest(self, configuration: Configuration) -> bool:
        """Say whether its cache becomes as large as what memory is left, or a share of that."""
        del configuration
        return False

    def uses_gpus(self, configuration: Configuration) -> bool:
        """Say whether the server takes GPUs where it sees some."""
        del configuration
        return True

    def model_name(self, settings: LaunchSettings) -> str:
        """Return what requests call the model."""
        return settings.model_id

    def base_url(self, settings: LaunchSettings) -> str:
        """Return the server's address, with or without the path of its API: see `api_url`."""
        return settings.endpoint_url or f"http://{settings.host}:{settings.port}"

    def asked_unlisted(self, settings: LaunchSettings) -> str | None:
        """Return the model that requests may name though the server does not list it; None: there is none."""
        del settings
        return None

    def served_name(self, models: Mapping[str, Any], settings: LaunchSettings) -> str | None:
        """Return our model's name in `models`, the answer of `/v1/models`; None: not ours."""
        name = self.model_name(settings)
        return name if name in model_ids(models) else None

    def doubts(self, served: str, settings: LaunchSettings) -> tuple[str, ...]:
        """Return warnings about the model that is called `served`; reported with each measurement."""
        del served, settings
        return ()

    def version_doubts(self) -> tuple[str, ...]:
        """Return a warning where the installed version is not the one whose parameters are declared."""
        declared, found = self.declaration.packaging.version, _version_in(self.installed() or "")
        if not declared or not found or found == _version_in(declared):
            return ()
        name = self.declaration.name
        return (f"{name} {found} is installed, its parameters are declared for {declared}: they may differ",)

    def _changed(self, configuration: Configuration) -> Configuration:
        """Return the part of `configuration` that differs from the defaults. Raises UnsupportedParameter."""
        self._require_all_declared(configuration)
        return self.declaration.changed(configuration)

    def _require_all_declared(self, configuration: Configuration) -> None:
        of_the_engine = replace(configuration, prompt={})
        for full_name in of_the_engine.flat():
            if full_name not in self.declaration.parameters:
                raise UnsupportedParameter(
                    f"engine {self.declaration.name} has no parameter {full_name}"
                    f"{nearest(full_name, self.declaration.parameters)}; what it has not, it would ignore"
                )


def _version_in(text: str) -> str:
    """Return the first two numbers of a version: the third changes no parameters."""
    found = _VERSION.search(text)
    return found[0] if found else ""


def require_no_file(engine: str, model: Path | None) -> None:
    """Raise ModelNotFound where `model` is a file and `engine` serves folders and models of the hub."""
    if model is not None and model.is_file():
        raise ModelNotFound(
            f"spec.model.source: {engine} serves a folder of safetensors or a model of the hub, and {model}"
            " is one file; for GGUF files take the engine llamacpp"
        )


def model_ids(models: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the ids in an answer of `/v1/models`; what is no entry with an id is passed over."""
    data = models.get("data")
    entries = data if isinstance(data, list) else []
    ids = (entry.get("id") for entry in entries if isinstance(entry, dict))
    return tuple(readable(each) for each in ids if isinstance(each, str))


def load_engine(name: str) -> Engine:
    """Return the engine that an installed package registers as `name`.

    Raises EngineNotFound, and PluginBroken when what is registered is no engine.
    """
    try:
        plugin = load_plugin(PluginGroup.ENGINES, name)
    except PluginNotFound as error:
        raise EngineNotFound(f"spec.engine.name: {error}") from error
    if not (isinstance(plugin.value, type) and issubclass(plugin.value, Engine)):
        raise plugin.unfit("it is not a subclass of llmopt_runner.engines.base.Engine")
    return plugin.value()
