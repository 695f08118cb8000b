"""Looks at what a manifest names on this machine: `python -m llmopt_runner.preflight < MANIFEST`.

For the command that a person types: what ends a study before its first trial is said before there is one.
Prints the faults as JSON. Nothing is fetched and no engine is started; only what runners would read here is
read, by the same code.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict

from llmopt_core.api.environment import Variable
from llmopt_core.engines.registry import declaration_of
from llmopt_core.errors.classes import LlmoptError
from llmopt_core.errors.files import words_of
from llmopt_core.resources.faults import Fault
from llmopt_core.resources.loading import Resource, load_manifest
from llmopt_core.resources.served_models import ServedModel, served_models
from llmopt_core.resources.serving import Workload
from llmopt_runner.engines.base import load_engine
from llmopt_runner.memory.shapes import read_shape
from llmopt_runner.models.resolution import resolve_model
from llmopt_runner.secrets import own_secrets

_ON_THE_HUB = "hf"


def faults_of(resource: Resource, *, evaluator_key: str | None = None) -> Iterator[Fault]:
    """Yield what keeps `resource` from its first trial on this machine; each fault once."""
    yield from _workload_faults(resource.spec.workload, evaluator_key)
    served = [each for each in served_models(resource) if each.engine.endpoint is None]
    yield from dict.fromkeys(fault for each in served for fault in _engine_faults(each))
    if resource.spec.memory_guard.predict:  # else runners do not read a model's files
        yield from dict.fromkeys(fault for each in served for fault in _model_faults(each))


def _workload_faults(workload: Workload, evaluator_key: str | None) -> Iterator[Fault]:
    dataset, place = workload.dataset, "spec.workload.dataset"
    if dataset.path is None and dataset.config_map_key_ref is None:
        return  # it is made here, or fetched
    # Slow, and seldom wanted.
    from llmopt_runner.quality.base import EvaluatorInvalid  # noqa: PLC0415
    from llmopt_runner.trial.workload import PreparedWorkload  # noqa: PLC0415

    try:
        PreparedWorkload.prepare(workload, api_key=evaluator_key)
    except EvaluatorInvalid as error:
        yield Fault("spec.workload.evaluator", None, "an evaluator that fits the data set", str(error))
    except LlmoptError as error:
        field = "configMapKeyRef" if dataset.path is None else "path"
        yield Fault(f"{place}.{field}", dataset.path, "a data set that can be used", str(error))


def _engine_faults(served: ServedModel) -> Iterator[Fault]:
    name, declaration = served.engine.name, declaration_of(served.engine.name)
    try:
        problem = None if load_engine(name).installed() else "it is not installed"
    except (LlmoptError, OSError) as error:
        problem = words_of(error)
    if problem is not None:
        install = declaration.packaging.installation if declaration else ""
        hint = f"{problem}: {install}" if install else problem
        yield Fault(f"{served.engine_path}.name", name, "an engine that is installed here", hint)


def _model_faults(served: ServedModel) -> Iterator[Fault]:
    source = served.model.source
    if source.partition("://")[0] == _ON_THE_HUB:
        return
    try:
        path = resolve_model(source).path
        if path is not None:
            read_shape(path)
    except LlmoptError as error:
        yield Fault(f"{served.model_path}.source", source, "a model that can be read", error.failure.text)


def main() -> int:
    """Print the faults of the manifest on standard input, which is valid."""
    key = own_secrets().get(Variable.EVALUATOR_API_KEY)
    resource = load_manifest(sys.stdin.read())
    json.dump([asdict(fault) for fault in faults_of(resource, evaluator_key=key)], sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
