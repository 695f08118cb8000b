"""What may import what: the gaps that the contracts close, and that no list of modules is kept by hand."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = {
    "llmopt_core": ROOT / "core/src/llmopt_core",
    "llmopt_operator": ROOT / "operator/src/llmopt_operator",
    "llmopt_runner": ROOT / "runner/src/llmopt_runner",
    "llmopt": ROOT / "cli/src/llmopt",
}
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]


def imported(path):
    """Return the modules that the file at `path` names in its imports, wherever they stand."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def importers(source, name):
    """Return the files of `source` that import `name` or what is below it."""
    return {
        path.relative_to(source).as_posix()
        for path in source.rglob("*.py")
        if any(module == name or module.startswith(f"{name}.") for module in imported(path))
    }


def test_search_and_resources_do_not_import_each_other():
    """A search space knows no manifest; manifests are turned into spaces."""
    assert not importers(SOURCES["llmopt_core"] / "search", "llmopt_core.resources")


def test_kopf_stays_at_the_edge_of_the_operator():
    """Only the watches and the connection know kopf."""
    assert importers(SOURCES["llmopt_operator"], "kopf") == {
        "handlers/watches.py",
        "adapters/connections.py",
    }


@pytest.mark.parametrize("package", SOURCES)
def test_every_module_has_a_layer(package):
    """Each program has a contract of layers that a new module cannot slip past."""
    (contract,) = (each for each in CONTRACTS if each.get("containers") == [package])
    assert contract["type"] == "layers"
    assert contract["exhaustive"]


def test_rules_about_external_packages_list_no_modules():
    """A forbidden import is forbidden to whole programs; who may is named, who may not is not."""
    rules = [each for each in CONTRACTS if each["type"] == "forbidden"]
    assert rules
    assert {module for each in rules for module in each["source_modules"]} <= set(SOURCES)


@pytest.mark.parametrize(
    "package", sorted(path.parent for source in SOURCES.values() for path in source.rglob("__init__.py"))
)
def test_every_package_says_what_it_is_for_and_where_to_begin(package):
    """The docstring ends with the module to read first, which is there."""
    docstring = ast.get_docstring(ast.parse((package / "__init__.py").read_text()))
    assert docstring
    first = re.search(r"\bRead\s+`([\w.]+)`", docstring)
    assert first
    path = package.joinpath(*first[1].split("."))
    assert path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


ENGINES = {"vllm", "sglang", "transformers", "llamacpp"}


def _of_engines(path):
    """Return how the file at `path` knows an engine: by the package that it imports, or by its name."""
    yield from (f"import {name}" for name in imported(path) if {*name.split(".")} & ENGINES)
    values = (node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant))
    yield from (f"name {value}" for value in values if isinstance(value, str) and value in ENGINES)


def test_an_engine_is_known_by_what_it_declares_alone():
    """No table elsewhere lists engines: only the registry knows which are built in.

    Whoever has no engine is told to begin with llama.cpp, and the former configuration had names of its own.
    """
    others = (
        path
        for source in SOURCES.values()
        for path in source.rglob("*.py")
        if not {*path.relative_to(source).parts} & ENGINES
    )
    assert {path.relative_to(ROOT).as_posix() for path in others if any(_of_engines(path))} == {
        "core/src/llmopt_core/engines/registry.py",
        "cli/src/llmopt/commands/advice.py",
        "cli/src/llmopt/commands/init.py",
        "cli/src/llmopt/named_models/former_configuration.py",
    }
