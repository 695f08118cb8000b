"""The workflows of the forge as files: they call the targets that a developer calls."""

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yaml"))
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
CHECK = Path(sys.executable).parent / "check-jsonschema"


def _steps(workflow: Path) -> Iterator[tuple[Mapping[str, Any], str]]:
    for job in yaml.safe_load(workflow.read_text())["jobs"].values():
        yield from ((job, step["run"]) for step in job["steps"] if "run" in step)


def _called(job: Mapping[str, Any], command: str) -> set[str]:
    """Return the targets of make that `command` calls, those of the matrix included."""
    targets: set[str] = set()
    for words in re.findall(r"\bmake ([^&|;\n]*)", command):
        targets |= {word for word in words.split() if re.fullmatch(r"[a-z-]+", word)}
        if "matrix.target" in words:
            targets |= set(job["strategy"]["matrix"]["target"])
    return targets


@pytest.mark.parametrize("schema", ["vendor.github-workflows", "custom.github-workflows-require-timeout"])
def test_workflows_keep_their_schema(schema: str) -> None:
    """The forge understands each field, and every job has a limit of time."""
    command = (CHECK, "--builtin-schema", schema, *WORKFLOWS)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_call_targets_that_exist(workflow: Path) -> None:
    """Each workflow calls make, and only targets of the Makefile."""
    called = {target for job, command in _steps(workflow) for target in _called(job, command)}
    assert called
    assert called <= TARGETS


def test_the_workflows_cover_what_a_developer_runs() -> None:
    """Checks, generated files, all tests and the release each have a workflow that runs them."""
    steps = [step for workflow in WORKFLOWS for step in _steps(workflow)]
    called = {target for job, command in steps for target in _called(job, command)}
    assert called == {"check", "verify", "test", "release"}
