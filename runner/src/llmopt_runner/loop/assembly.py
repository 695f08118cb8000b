"""Puts together what a runner needs for one study, from a manifest and the environment."""

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from llmopt_core.api.environment import DENY, NO, Variable
from llmopt_core.errors.classes import ErrorClass, LlmoptError
from llmopt_core.resources.benchmark import BenchmarkSpec
from llmopt_core.resources.optimization import Budget, OptimizationSpec
from llmopt_core.resources.serving import Engine, MemoryGuard, Model
from llmopt_core.search.configurations import Value
from llmopt_core.storage.definitions import engine_declaration, fixed_parameters
from llmopt_core.storage.records import TrialRecord
from llmopt_core.storage.studies import Study
from llmopt_runner.engine_slot.engine_memory import EngineMemory
from llmopt_runner.engine_slot.slot import EngineSlot, launch_settings, start_timeout_seconds
from llmopt_runner.engines.base import load_engine
from llmopt_runner.guard.levels import Thresholds
from llmopt_runner.host.devices import MemoryDevice, known_gpus, visible_devices
from llmopt_runner.host.unseen import unseen_accelerators
from llmopt_runner.memory.shapes import ModelShape, read_shape
from llmopt_runner.models.hub_downloads import fetched
from llmopt_runner.models.resolution import ResolvedModel, hub_snapshot, named_model, resolve_model
from llmopt_runner.stopping import StopSignal
from llmopt_runner.trial.progress import Progress
from llmopt_runner.trial.trial_runner import TrialRunner
from llmopt_runner.trial.workload import PreparedWorkload


class RemoteCodeDenied(LlmoptError):
    """A study, which its tenant can write, asks for a model's own code where that is not allowed."""

    error_class = ErrorClass.INVALID_CONFIGURATION


@dataclass(frozen=True)
class Served:
    """A model on an engine, and the secrets that both are given."""

    model: Model
    engine: Engine
    token: str | None
    api_key: str | None


@dataclass(frozen=True)
class Shared:
    """What all trials of a runner share, whatever they serve."""

    study: Study
    workload: PreparedWorkload
    trial_timeout: str
    guard: MemoryGuard
    folder: Path
    stopping: StopSignal
    progress: Progress
    secrets: Mapping[str, str] = field(repr=False)
    actions: Counter[str] = field(default_factory=Counter)

    def slot(
        self,
        served: Served,
        is_alike: Callable[[TrialRecord], bool] = lambda _: True,
        budget: Budget | None = None,
    ) -> EngineSlot:
        """Return what loads the engine of `served`; predictions learn from the trials that are alike.

        The `budget` of a search decides how many trials share a load.

        Raises what no configuration can fix: ModelNotFound, EngineNotFound and the like.
        """
        if served.model.trust_remote_code and os.environ.get(Variable.REMOTE_CODE) == DENY:
            raise RemoteCodeDenied(
                f"the model {served.model.source} brings code of its own, which the administrator does not"
                " allow here (settings.policy.trustRemoteCode)"
            )
        source, token = served.model.source, served.token
        if served.engine.endpoint is not None:
            model = named_model(source)
        else:
            model = self.stopping.run_apart(lambda: resolve_model(source, token=token))
            fetched(source, model, token, apart=self.stopping.run_apart, report=self._report_stage)
        settings_for = launch_settings(
            served.model, served.engine, model, self.folder, api_key=served.api_key, model_token=served.token
        )
        devices: Sequence[MemoryDevice] = ()
        shape = None
        memory = EngineMemory(actions=self.actions)
        if served.engine.endpoint is None:  # else memory and GPUs are elsewhere
            shape, devices = self._shape(model), visible_devices()
            memory = self._memory(devices, shape, is_alike)
        return EngineSlot(
            load_engine(served.engine.name),
            settings_for,
            start_timeout_seconds(served.engine),
            memory=memory,
            budget=budget,
            shape=shape,
            gpus=known_gpus(devices),
        )

    def _shape(self, model: ResolvedModel) -> ModelShape | None:
        path = model.path or hub_snapshot(model.id, model.revision)
        return read_shape(path) if path is not None and self.guard.predict else None

    def _report_stage(self, stage: str) -> None:
        self.progress.stage = stage

    def trial_runner(self, slot: EngineSlot, fixed: Mapping[str, Value]) -> TrialRunner:
        """Return what runs trials on `slot` that all have the parameters `fixed`, by full name."""
        return TrialRunner(
            trial_timeout=self.trial_timeout,
            declaration=slot.engine.declaration,
            fixed=fixed,
            workload=self.workload,
            slot=slot,
            study=self.study,
            stopping=self.stopping,
            progress=self.progress,
        )

    def _memory(
        self,
        devices: Sequence[MemoryDevice],
        shape: ModelShape | None,
        is_alike: Callable[[TrialRecord], bool],
    ) -> EngineMemory:
        """Return what guards the engine's memory."""
        return EngineMemory(
            devices,
            Thresholds.of(self.guard),
            shape=shape,
            facts=lambda: [
                trial.outcome.facts
                for trial in self.study.trials()
                if trial.outcome is not None and is_alike(trial)
            ],
            stop=self.stopping.wake,
            unseen=unseen_accelerators(nvidia_seen=any(device.kind == "gpu" for device in devices)),
            counts_gpus=os.environ.get(Variable.GPUS_COUNTED) != NO,
            actions=self.actions,
        )


def shared(
    spec: OptimizationSpec | BenchmarkSpec,
    study: Study,
    results: Path,
    stopping: StopSignal,
    progress: Progress,
    secrets: Mapping[str, str],
) -> Shared:
    """Return what the trials of `study` share: data set, evaluator, where engines log.

    `secrets` are those of the runner's environment, by variable.

    Raises what no configuration can fix: DatasetInvalid, EvaluatorInvalid and the like; and Interrupted.
    """
    folder = results / "logs" / "engines"
    folder.mkdir(parents=True, exist_ok=True)
    key = secrets.get(Variable.EVALUATOR_API_KEY)
    workload = stopping.run_apart(lambda: PreparedWorkload.prepare(spec.workload, api_key=key))
    workload.require_same_items(study.trials())
    study.answers.keep_questions(*workload.questions())
    asked = [part.metric for part in study.definition.objectives]
    workload.require_metrics([*asked, *(part.metric for part in study.definition.constraints)])
    timeout = spec.budget.trial_timeout
    return Shared(study, workload, timeout, spec.memory_guard, folder, stopping, progress, secrets)


def search_runner(spec: OptimizationSpec, common: Shared) -> TrialRunner:
    """Return what runs the trials of an optimization: model, engine and memory guard, ready for the first.

    Raises what no configuration can fix: ModelNotFound, EngineNotFound and the like.
    """
    declaration = engine_declaration(spec.engine)
    secrets = common.secrets.get(Variable.MODEL_TOKEN), common.secrets.get(Variable.ENDPOINT_API_KEY)
    slot = common.slot(Served(spec.model, spec.engine, *secrets), budget=spec.budget)
    common.progress.memory = slot.memory
    return common.trial_runner(slot, fixed_parameters(spec.engine, spec.workload, declaration))
