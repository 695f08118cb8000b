"""The manifests under config/samples, as a person applies them."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from fakes.api_server import admission_faults

from llmopt_core.engines.registry import declaration_of
from llmopt_core.resources import LLMBenchmark, LLMOptimization, load_manifest, validate_file
from llmopt_core.resources.cautions import cautions_of
from llmopt_core.resources.known import installed
from llmopt_core.resources.openapi import DEFINITIONS, custom_resource_definition
from llmopt_core.search.configurations import Configuration
from llmopt_core.storage.definitions import define_study, engine_declaration, fixed_parameters

SAMPLES = sorted((Path(__file__).parents[2] / "config/samples").glob("*.yaml"))
CRDS = {each.kind.value: custom_resource_definition(each) for each in DEFINITIONS}
OPTIMIZATIONS = [path for path in SAMPLES if isinstance(load_manifest(path), LLMOptimization)]


def named(path: Path) -> str:
    """Return the test's name for a sample."""
    return path.stem


def test_there_are_samples_of_both_kinds() -> None:
    """What is tested below is not an empty list."""
    assert {type(load_manifest(path)) for path in SAMPLES} == {LLMOptimization, LLMBenchmark}


@pytest.mark.parametrize("path", SAMPLES, ids=named)
def test_a_sample_has_no_faults(path: Path) -> None:
    """`llmopt validate` has nothing to say about a sample."""
    known = installed()
    known = replace(known, datasets=tuple({*known.datasets, "korean_math"}))
    assert [str(fault) for fault in validate_file(path, known)] == []


@pytest.mark.parametrize("path", SAMPLES, ids=named)
def test_a_sample_needs_no_warning(path: Path) -> None:
    """A sample does what it recommends: no objective of it rewards longer answers."""
    assert [str(caution) for caution in cautions_of(load_manifest(path))] == []


@pytest.mark.parametrize("path", SAMPLES, ids=named)
def test_the_api_server_would_take_a_sample(path: Path) -> None:
    """A sample satisfies the CRD's schema and its rules, when it is created and when it is applied again."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    crd = CRDS[document["kind"]]
    assert admission_faults(crd, document) == ()
    assert admission_faults(crd, document, document) == ()


@pytest.mark.parametrize("path", OPTIMIZATIONS, ids=named)
def test_a_sample_becomes_a_study(path: Path) -> None:
    """A sample's space has a dimension for each of its parameters, and its default is not refused."""
    resource = load_manifest(path)
    assert isinstance(resource, LLMOptimization)
    study = define_study(resource)
    assert set(study.space.names()) == {name for name, _ in resource.spec.search.space.all_parameters()}
    declaration = engine_declaration(resource.spec.engine)
    default = Configuration.from_flat(
        fixed_parameters(resource.spec.engine, resource.spec.workload, declaration)
    )
    assert declaration.conflicts(default) == ()


def test_a_benchmarks_candidates_differ() -> None:
    """No two candidates of the sample are one configuration: there is something to compare."""
    resource = load_manifest(next(path for path in SAMPLES if path.stem == "benchmark"))
    assert isinstance(resource, LLMBenchmark)
    assert resource.spec.engine is not None
    declaration = declaration_of(resource.spec.engine.name)
    assert declaration is not None
    keys = set()
    for candidate in resource.spec.candidates:
        typed = {
            name: declaration.parameters[name].parse(value) for name, value in candidate.parameters.items()
        }
        keys.add(declaration.canonical(Configuration.from_flat(typed)).key())
    assert len(keys) == len(resource.spec.candidates)
