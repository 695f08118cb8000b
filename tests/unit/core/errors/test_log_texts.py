"""Logs as people have them: what others wrote around an engine's lines is taken off."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt_core.engines.registry import BUILT_IN
from llmopt_core.errors.log_texts import engine_of, logged_arguments, plain_log

LINE = "(EngineCore pid=7) ERROR 01-01 00:00:00 [core.py:900] ValueError: no"
MARKS = {name: each.logs.mark for name, each in BUILT_IN.items() if each.logs.mark}
ARGUMENTS = BUILT_IN["vllm"].logs.arguments


@pytest.mark.parametrize(
    "prefix",
    [
        "",
        "2026-11-26T11:00:00.123456789Z ",
        "2026-11-26T11:00:00.123456789Z stderr F ",
        "2026-11-26T11:00:00+09:00 ",
        "vllm-1  | ",
        "Nov 26 11:00:00 host vllm[123]: ",
        "Nov  6 11:00:00 gpu-1.local docker/vllm@1[123]: ",
    ],
)
def test_prefixes_of_collectors_are_taken_off(prefix):
    """Of containers, of docker compose and of the system's journal, on every line."""
    assert plain_log(f"{prefix}{LINE}\n{prefix}{LINE}") == f"{LINE}\n{LINE}"


def test_colours_and_carriage_returns_are_taken_off():
    """A progress bar rewrites its line, and a terminal's colours are no words."""
    assert plain_log("\x1b[1;36m(APIServer pid=1)\x1b[0;0m INFO\r\n 10%\r 20%") == (
        "(APIServer pid=1) INFO\n 10%\n 20%"
    )


@pytest.mark.parametrize(
    ("log", "engine"),
    [
        (LINE, "vllm"),
        ("(Worker_TP1 pid=7) ERROR x", "vllm"),
        ('File "/usr/lib/python3/site-packages/vllm/engine.py"', "vllm"),
        ("ggml_vulkan: Device memory", "llamacpp"),
        ("llama_model_load: error", "llamacpp"),
        ("[transformers] Request", "transformers"),
        ("python -m sglang.launch_server", "sglang"),
        ("Killed", ""),
        # vLLM reads models by transformers, not the other way round.
        ('File "vllm/a.py"\nFile "transformers/b.py"', "vllm"),
    ],
)
def test_an_engine_is_recognised_by_its_words(log, engine):
    """The first that a log speaks of; one that is not known here is none."""
    assert engine_of(log, MARKS) == engine


@pytest.mark.parametrize(
    ("log", "arguments"),
    [
        (
            "INFO non-default args: {'max_model_len': 132000, 'model': 'org/name', 'lora': None, 'x': [1]}",
            {"max_model_len": 132000, "model": "org/name"},
        ),
        (
            "non-default args: {'eager': True, 'config': {'mode': <Mode.NONE: 0>}, 'p': Path('a'), 'n': 4}",
            {"eager": True, "n": 4},
        ),
        ("INFO non-default args: {broken", {}),
        ("INFO non-default args: {'a': open('x')}", {}),
        ("INFO non-default args: {1, 2}", {}),
        ("nothing", {}),
    ],
)
def test_the_arguments_that_a_log_says(log, arguments):
    """Plain values by name; nothing in a log is run."""
    assert logged_arguments(log, ARGUMENTS) == arguments


@given(st.text(max_size=300), st.sampled_from(["", "non-default args: ", "\x1b[", "2026-11-26T11:00:00Z "]))
def test_any_text_is_read(text, start):
    """Whatever a log holds: lines, an engine or none, arguments or none."""
    log = plain_log(start + text)
    assert engine_of(log, MARKS) in {*MARKS, ""}
    assert isinstance(logged_arguments(log, ARGUMENTS), dict)
