"""What the installed vLLM raises while it reads its configuration is known as a refusal."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.engine_environments import use_engine

from llmopt_core.engines.vllm.patterns import VLLM_LOGS
from llmopt_core.errors.classification import Evidence, cause_of, classify
from llmopt_core.errors.policies import POLICIES, RetryPolicy

pytestmark = pytest.mark.slow
# Modules that read a configuration before any process computes.
READING = ("config/*.py", "engine/arg_utils.py", "platforms/*.py")


def _package() -> Path:
    (package,) = (use_engine("vllm") / "lib").glob("python3*/site-packages/vllm")
    return package


def _words(node: ast.expr) -> str:
    """Return a message as it would be written, with 2 for what is put in."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join("2" if isinstance(part, ast.FormattedValue) else _words(part) for part in node.values)
    return "2"


def _raised() -> Iterator[tuple[str, str]]:
    """Yield the kind and the words of each error that is raised by its name."""
    for path in sorted(each for glob in READING for each in _package().glob(glob)):
        for node in ast.walk(ast.parse(path.read_text())):
            call = node.exc if isinstance(node, ast.Raise) else None
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.args:
                yield call.func.id, _words(call.args[0])


def _logs() -> Iterator[str]:
    """Yield each as pydantic wraps it, where it does, and as it is."""
    for kind, words in _raised():
        first, *more = words.splitlines() or ["2"]
        whole = "\n".join((first, *more))
        if kind in {"ValueError", "AssertionError"}:
            yield (
                "pydantic_core._pydantic_core.ValidationError: 1 validation error for VllmConfig\n"
                f"  Value error, {whole} [type=value_error, input_value=ArgsKwargs((), {{}})]"
            )
        if kind in {"ValueError", "AssertionError", "NotImplementedError", "ImportError"}:
            yield f"{kind}: {whole}"


def test_no_refusal_of_vllm_is_started_again():
    """Each has a cause, and none is a crash."""
    logs = list(_logs())
    assert len(logs) > 400
    evidences = [Evidence(f"loading\n{log}\n", exit_code=1, patterns=VLLM_LOGS.patterns) for log in logs]
    again = [
        each.log
        for each in evidences
        if not cause_of(each) or POLICIES[classify(each).error_class] is RetryPolicy.RETRY
    ]
    assert again == []
