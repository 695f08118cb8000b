"""The one place of a runner where an engine is loaded, reused and given up."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from llmopt_core.engines.gpus import Gpu
from llmopt_core.resources.base import duration_seconds
from llmopt_core.resources.optimization import Budget
from llmopt_core.resources.serving import Engine as EngineSpec
from llmopt_core.resources.serving import Model
from llmopt_core.search.configurations import Configuration, Value
from llmopt_runner.engine_slot.engine_memory import EngineMemory
from llmopt_runner.engine_slot.trials_per_load import trials_per_load
from llmopt_runner.engines.base import Engine, LaunchSettings
from llmopt_runner.engines.server import EngineServer
from llmopt_runner.memory.shapes import ModelShape
from llmopt_runner.models.resolution import ResolvedModel

log = logging.getLogger(__name__)


@dataclass
class _Loaded:
    """A server that runs, and what it has cost, its warm-up included, and served so far."""

    server: EngineServer
    configuration: Configuration
    asked: Mapping[str, Value]
    varies: bool  # whether trials on it can differ: something else is searched
    load_seconds: float
    start: int | None = None  # which start of a plan of repeats it is
    trials: int = 0
    trial_seconds: float = 0.0


class EngineSlot:
    """Holds at most one loaded engine of a runner; `settings_for` gives the launch of a configuration.

    The `budget` of a search says how many trials may share a load. `shape` is the model's, None where its
    files are not read; `gpus` are those that the engine sees, none where they are not known.
    """

    def __init__(
        self,
        engine: Engine,
        settings_for: Callable[[Configuration], LaunchSettings],
        start_timeout_seconds: float,
        server_of: Callable[[Engine, LaunchSettings], EngineServer] = EngineServer,
        memory: EngineMemory | None = None,
        budget: Budget | None = None,
        shape: ModelShape | None = None,
        gpus: Sequence[Gpu] = (),
    ) -> None:
        self.engine = engine
        self._shape, self._gpus = shape, gpus
        self.memory = memory or EngineMemory()
        self._server_of = server_of
        self.settings_for = settings_for
        self._timeout_seconds = start_timeout_seconds
        self._budget = budget or Budget()
        self._loaded: _Loaded | None = None

    @cached_property
    def engine_version(self) -> str:
        """The version of the engine's program, as far as it is known."""
        return self.engine.installed() or "unknown"

    def unsupported(self, configuration: Configuration) -> tuple[str, ...]:
        """Return one sentence for each parameter that the engine would refuse with this model and these GPUs.

        Nothing where another version of the engine is installed than the one whose rules are known.
        """
        refused = self.engine.unsupported(self._shape, configuration, self._gpus)
        return refused if refused and self._is_declared_version else ()

    @cached_property
    def _is_declared_version(self) -> bool:
        return not self.engine.version_doubts()

    def fixed(self) -> Mapping[str, Value] | None:
        """Return the load-time parameters to keep for the next trial, by full name; None: choose freely."""
        loaded = self._loaded
        if loaded is None or not loaded.asked or loaded.trials == 0 or not loaded.server.alive():
            return None
        if not loaded.varies:  # the next trial would be the same one
            return None
        served = trials_per_load(loaded.load_seconds, loaded.trial_seconds / loaded.trials, self._budget)
        return loaded.asked if loaded.trials < served else None

    def running(self) -> Mapping[str, Value] | None:
        """Return the searched load-time parameters of the engine that runs, by full name; None: none runs."""
        loaded = self._loaded
        return None if loaded is None or not loaded.server.alive() else loaded.asked

    def ensure(
        self,
        configuration: Configuration,
        asked: Mapping[str, Value],
        cancelled: Callable[[], bool],
        *,
        start: int | None = None,
        served: bool = False,
    ) -> tuple[EngineServer, float]:
        """Return a server under `configuration`, and the seconds its start took (0: it was reused).

        `asked` is what the sampler proposed. `start` says which start of a plan of repeats it must be, None
        that any running engine will do. `served` says whether it answered in this study before. Raises
        EngineStartFailed, MemoryExceeded where memory does not suffice, or Interrupted once `cancelled`.
        """
        if self._reusable(configuration, start) and self._loaded is not None:
            return self._loaded.server, 0.0
        self.memory.require_memory(self.engine, configuration)
        self.close()
        server = self._server_of(self.engine, self.settings_for(configuration))
        timeout_seconds = self._at_most(
            self.engine.restart_seconds if served else self.engine.patience_seconds
        )
        answer_seconds = self._at_most(self.engine.restart_seconds or 0.0)
        try:
            with self.memory.starting(self.engine, configuration, cancelled):
                seconds = self.memory.load(
                    server,
                    configuration,
                    lambda: server.start(timeout_seconds, answer_seconds=answer_seconds, cancelled=cancelled),
                )
        except BaseException:  # whatever ends the start, nothing of it may be left running
            server.stop(at_once=True)
            self.memory.unloaded()
            raise
        frozen = self.engine.declaration.load_part(configuration)
        load_time = {name: value for name, value in asked.items() if name in frozen}
        varies = len(load_time) < len(asked)
        self._loaded = _Loaded(server, configuration, load_time, varies, seconds, start)
        return server, seconds

    def _at_most(self, patience_seconds: float | None) -> float:
        """Return how long the engine may take until it answers, at most its start timeout."""
        return (
            self._timeout_seconds
            if patience_seconds is None
            else min(patience_seconds, self._timeout_seconds)
        )

    def _reusable(self, configuration: Configuration, start: int | None) -> bool:
        loaded = self._loaded
        load_part = self.engine.declaration.load_part
        if (
            loaded is None
            or start not in {None, loaded.start}
            or load_part(loaded.configuration) != load_part(configuration)
        ):
            return False
        return loaded.server.alive() and self.engine.make_fresh(loaded.server, configuration)

    def is_warm(self, configuration: Configuration) -> bool:
        """Say whether the loaded engine served a trial that a warm-up could add nothing to."""
        loaded = self._loaded
        return loaded is not None and loaded.trials > 0 and self.engine.stays_warm(configuration)

    def served(self, seconds: float, warmup_seconds: float) -> None:
        """Note that the loaded engine served one more trial; the first warm-up belongs to its load."""
        loaded = self._loaded
        if loaded is None:
            return
        if loaded.trials == 0:
            loaded.load_seconds += warmup_seconds
        else:
            seconds += warmup_seconds
        loaded.trials += 1
        loaded.trial_seconds += seconds

    def close(self) -> None:
        """Stop the loaded engine, if there is one."""
        loaded, self._loaded = self._loaded, None
        if loaded is None:
            return
        if remains := loaded.server.stop():
            log.error("the engine was stopped, but not all of it is gone: %s", remains)
        self.memory.unloaded()


def launch_settings(
    asked: Model,
    engine: EngineSpec,
    model: ResolvedModel,
    folder: Path,
    *,
    api_key: str | None,
    model_token: str | None,
) -> Callable[[Configuration], LaunchSettings]:
    """Return what makes the launch settings of a configuration; logs go below `folder`.

    `model` is what `asked` stands for on this machine.
    """

    def settings(configuration: Configuration) -> LaunchSettings:
        name = f"{time.time_ns()}.log"
        return LaunchSettings(
            model_path=model.path,
            model_id=model.id,
            workdir=folder,
            log_path=folder / name,
            parameters=configuration.engine,
            sampling=configuration.sampling,
            model_revision=model.revision,
            model_token=model_token,
            trust_remote_code=asked.trust_remote_code,
            endpoint_url=engine.endpoint.url if engine.endpoint else None,
            endpoint_model=engine.endpoint.model if engine.endpoint else None,
            api_key=api_key,
        )

    return settings


def start_timeout_seconds(engine: EngineSpec) -> float:
    """Return how long a start of the engine may take."""
    return float(duration_seconds(engine.start_timeout))
