"""Puts together what a runner needs for one study, from a manifest and the environment."""

import os
from pathlib import Path

from llmopt_core.resources.optimization import OptimizationSpec
from llmopt_core.study.adapter import Study
from llmopt_core.study.definitions import engine_declaration, fixed_parameters
from llmopt_runner.engines.base import load_engine
from llmopt_runner.guarding import EngineMemory
from llmopt_runner.loading import EngineSlot, launch_settings, start_timeout_seconds
from llmopt_runner.memory.devices import visible_devices
from llmopt_runner.memory.levels import Thresholds
from llmopt_runner.memory.shapes import read_shape
from llmopt_runner.models import ResolvedModel, hub_snapshot, resolve_model
from llmopt_runner.stopping import StopSignal
from llmopt_runner.trial import Progress, TrialRunner
from llmopt_runner.workload import PreparedWorkload


def trial_runner(
    spec: OptimizationSpec, study: Study, results: Path, stopping: StopSignal, progress: Progress
) -> TrialRunner:
    """Return what runs the trials of `study`: model, data set, engine and memory guard, ready for the first.

    Raises what no configuration can mend: ModelNotFound, DatasetInvalid, EngineNotFound and the like.
    """
    declaration = engine_declaration(spec)
    folder = results / "logs" / "engines"
    folder.mkdir(parents=True, exist_ok=True)
    token = os.environ.get("LLMOPT_MODEL_TOKEN")
    model = resolve_model(spec.model.source, token=token)
    api_key = os.environ.get("LLMOPT_ENDPOINT_API_KEY")
    settings_for = launch_settings(spec, model, folder, api_key=api_key, model_token=token)
    workload = PreparedWorkload.prepare(spec.workload, api_key=os.environ.get("LLMOPT_EVALUATOR_API_KEY"))
    progress.memory = _memory(spec, study, model, stopping)
    return TrialRunner(
        spec=spec,
        declaration=declaration,
        fixed=fixed_parameters(spec, declaration),
        workload=workload,
        slot=EngineSlot(
            load_engine(spec.engine.name),
            settings_for,
            start_timeout_seconds(spec),
            memory=progress.memory,
        ),
        study=study,
        stopping=stopping,
        progress=progress,
    )


def _memory(spec: OptimizationSpec, study: Study, model: ResolvedModel, stopping: StopSignal) -> EngineMemory:
    """Return what guards the engines' memory: nothing for an endpoint, whose memory is elsewhere."""
    if spec.engine.endpoint is not None:
        return EngineMemory()
    path = model.path or hub_snapshot(model.id, model.revision)
    return EngineMemory(
        visible_devices(),
        Thresholds.of(spec.memory_guard),
        shape=read_shape(path) if path is not None and spec.memory_guard.predict else None,
        facts=lambda: [trial.outcome.facts for trial in study.trials() if trial.outcome is not None],
        stop=stopping.wake,
    )
