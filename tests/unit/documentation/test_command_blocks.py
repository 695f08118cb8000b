"""Commands, manifests and Python that pages show are those of this version."""

import ast
import re
import tomllib
from importlib import import_module
from itertools import pairwise
from typing import Any

import pytest
import yaml
from documentation.pages import ROOT, Block, blocks, not_run, pages, shell_words
from typer.main import get_command

import llmopt
from llmopt.main import app
from llmopt_core.api.kinds import API_VERSION
from llmopt_core.resources.openapi import DEFINITIONS, root_schema
from llmopt_core.resources.validation import validate

BLOCKS = [block for path in pages() for block in blocks(path)]
SHELL = [
    (block, command)
    for block in BLOCKS
    if block.language in {"console", "bash"}
    for command in block.commands
]
# Settings of other programs are marked as such.
YAML = [block for block in BLOCKS if block.language == "yaml" and not block.foreign]
PYTHON = [block for block in BLOCKS if block.language == "python"]
LLMOPT = get_command(app)
VALUES = yaml.safe_load((ROOT / "helm/llmopt/values.yaml").read_text())
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def _of(program):
    found = [(block, words) for block, command in SHELL if (words := shell_words(command))[:1] == [program]]
    return pytest.mark.parametrize(
        ("block", "words"), found, ids=[f"{b.where} {' '.join(w)[:60]}" for b, w in found]
    )


@_of("llmopt")
def test_a_command_line_is_one_of_llmopt(block, words):
    """Command, options and the number of arguments exist; nothing is run."""
    if words[1:2] == ["--help"]:
        return
    command = LLMOPT.commands[words[1]]
    context = command.make_context(words[1], [], resilient_parsing=True)
    given, rest, _ = command.make_parser(context).parse_args(args=words[2:])
    missing = [each.name for each in command.params if each.required and not given.get(each.name)]
    assert not missing, (block.where, missing)
    assert not rest, (block.where, rest)


@_of("make")
def test_a_target_is_one_of_the_makefile(block, words):
    """Variables aside, each word is a target."""
    assert {word for word in words[1:] if "=" not in word} <= TARGETS, block.where


@_of("pip")
def test_an_extra_is_one_of_the_package(block, words):
    """What `pip install` names in brackets is there."""
    extras = set(PROJECT["project"]["optional-dependencies"])
    for word in words:
        for named in re.findall(r"\[(.*)\]", word):
            assert set(named.split(",")) <= extras, block.where


@_of("helm")
def test_a_value_is_one_of_the_chart(block, words):
    """What `--set` names is in values.yaml."""
    for option, value in pairwise(words):
        if option == "--set":
            _value(value.partition("=")[0], block)


def _value(path, block):
    node = VALUES
    for name in re.sub(r"\[\d+\].*", "", path).split("."):
        assert name in node, f"{block.where}: the chart has no value {path}"
        node = node[name]


@pytest.mark.parametrize("block", YAML, ids=[block.where for block in YAML])
def test_a_manifest_is_valid(block: Block):
    """A whole manifest has no fault; of a part each field exists, in a manifest or in the chart's values."""
    for document in yaml.safe_load_all(block.text):
        _check(document, block)


def _check(document: Any, block: Block) -> None:
    if "apiVersion" in document:
        if document["apiVersion"] == API_VERSION:
            validate(document)
        return
    schemas = [root_schema(each.type)["properties"]["spec"] for each in DEFINITIONS]
    part = document.get("spec", document)
    unknown = [_unknown(part, schema) for schema in schemas]
    assert [] in unknown or _in_values(document), f"{block.where}: {unknown[0]}"


def _unknown(part: Any, schema: Any) -> list[str]:
    """Return the fields of `part` that `schema` does not have."""
    if isinstance(part, list):
        return [name for each in part for name in _unknown(each, schema.get("items", {}))]
    if not isinstance(part, dict) or "properties" not in schema:
        return []
    known = schema["properties"]
    below = (name for key in part.keys() & known.keys() for name in _unknown(part[key], known[key]))
    return [*(part.keys() - known.keys()), *below]


def _in_values(document: Any) -> bool:
    return set(document) <= set(VALUES)


@pytest.mark.parametrize("block", PYTHON, ids=[block.where for block in PYTHON])
def test_python_compiles_and_names_what_exists(block: Block):
    """The code is Python, and what it imports and takes from llmopt is there."""
    for node in ast.walk(ast.parse(block.text, block.where)):
        if isinstance(node, ast.ImportFrom):
            module = import_module(str(node.module))
            named = [alias.name for alias in node.names if alias.name != "*"]
            assert all(hasattr(module, name) for name in named), block.where
    for name in re.findall(r"\bllmopt\.(\w+)", block.text):
        assert hasattr(llmopt, name), f"{block.where}: llmopt.{name}"


def test_the_blocks_are_found():
    """A page without any block would pass every other test."""
    assert len(SHELL) > 60
    assert len(YAML) > 10
    assert sum(block.run for block in BLOCKS) >= 14


@pytest.mark.parametrize(
    "command",
    ["explain", "init", "list", "migrate", "optimize --model small", "status", "validate"],
)
def test_a_command_of_seconds_is_run(command):
    """Some page shows it in a block that a test runs, each page's blocks in a folder of their own."""
    run = [line for block in BLOCKS if block.run for line in block.commands]
    assert any(line.startswith(f"llmopt {command}") for line in run)


def test_what_is_not_run_is_on_a_page_and_has_a_reason():
    """A command that was changed or removed is not in the list any more, and no block that is run is."""
    shown = [block for block in BLOCKS if block.language in {"console", "bash"} and not block.foreign]
    here = {command for block in shown if not (block.run or block.cluster) for command in block.typed}
    assert set(not_run()) <= here
    assert all(not_run().values())
