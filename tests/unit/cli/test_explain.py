"""`llmopt explain`: class, cause and remedy of a log, as a person has it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from llmopt.commands.explain import explained
from llmopt.main import app
from llmopt_core.api.exit_codes import Exit

LOGS = Path(__file__).parents[2] / "data/engine_logs"


def _call(*arguments, text=None):
    return CliRunner().invoke(app, ["explain", *map(str, arguments)], input=text)


@pytest.mark.parametrize("path", sorted(LOGS.glob("*.log")), ids=lambda path: path.stem)
def test_every_log_that_users_posted_is_explained(path):
    """It has a class that says a cause, a remedy, and no number that is not known."""
    document = json.loads(_call(path, "--json").stdout)
    assert document["class"] not in {"EngineCrashed", "Unknown"}
    assert document["remedy"]
    assert "not set" not in document["remedy"]
    assert "Engine core initialization failed" not in document["message"]
    assert document["cause"]


def test_what_the_engine_names_is_a_limit():
    """In words and in JSON."""
    path = LOGS / "vllm-mamba-blocks.log"
    assert "limit:  max_num_seqs must be at most 856" in _call(path).stdout
    assert json.loads(_call(path, "--json").stdout)["limits"] == ["max_num_seqs must be at most 856"]
    assert "study:  a search of max_num_seqs tries this configuration once more" in _call(path).stdout


def test_standard_input_is_read():
    """A pipe from `docker logs`, colours and prefixes included."""
    line = "vllm-1  | \x1b[31mRuntimeError: CUDA error: no kernel image is available for execution\x1b[0m"
    result = _call("-", text=f"{line} on the device\n")
    assert result.exit_code == Exit.FINISHED
    assert result.stdout.startswith("EngineNotInstalled")
    assert "\x1b" not in result.stdout


def test_the_servers_own_arguments_are_in_the_remedy():
    """vLLM logs how it was started: the numbers need not be asked for."""
    log = (
        "(APIServer pid=1) INFO [utils.py] non-default args: {'tensor_parallel_size': 8}\n"
        "ValueError: The output_size of gate's and up's weight = 192 is not divisible by weight quantization"
        " block_n = 128.\n"
    )
    assert "tensor_parallel_size (8)" in explained(log, None).failure.suggestion


def test_a_log_that_no_pattern_knows_shows_its_first_error():
    """Never the last words of the process that only waited."""
    log = (
        "(EngineCore pid=1) ERROR [core.py:1] Traceback (most recent call last):\n"
        "(EngineCore pid=1) ERROR [core.py:1] KeyError: 'a new thing'\n"
        "RuntimeError: Engine core initialization failed. See root cause above.\n"
    )
    found = explained(log, None)
    assert (found.failure.message, found.engine) == ("KeyError: 'a new thing'", "vllm")


def test_the_engine_can_be_said():
    """Two engines on one library say the same, and what to do differs."""
    log = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.27 GiB."
    assert "max_num_seqs" in explained(log, "vllm").failure.suggestion
    assert "cb_num_blocks" in explained(log, "transformers").failure.suggestion


def test_the_beginning_and_the_end_of_a_long_log_are_read(tmp_path):
    """The cause stands at either."""
    path = tmp_path / "long.log"
    filler = b"INFO nothing at all of any interest\n" * 80_000
    for content in (b"CUDA out of memory\n" + filler, filler + b"CUDA out of memory\n"):
        path.write_bytes(content)
        assert _call(path).stdout.startswith("GpuOutOfMemory")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("/no/such.log",), "/no/such.log"),
        (("-",), "the log is empty"),
        (("-", "--engine", "vlm"), "did you mean vllm?"),
    ],
)
def test_wrong_input_is_one_clear_error(arguments, said):
    """With what was given and what to do."""
    result = _call(*arguments, text="")
    assert result.exit_code == Exit.INVALID
    assert said in result.output


def test_what_is_no_log_is_not_promised_to_work_the_next_time(tmp_path):
    """A manifest in place of a log: nothing is known of it, and that is said."""
    path = tmp_path / "llmopt.yaml"
    path.write_text("kind: LLMOptimization\n")
    said = CliRunner().invoke(app, ["explain", str(path)]).output
    assert said.startswith("Unknown: no error of a server is recognised: check that this is the log")
    assert "next time" not in said


@pytest.mark.parametrize(
    ("log", "server", "said"),
    [
        (
            "ERROR warmup: text_generation_client: Not enough memory to handle 4096 prefill tokens.",
            "tgi",
            "--max-batch-prefill-tokens (it is 4096)",
        ),
        ("[TensorRT-LLM][ERROR] CUDA runtime error in error: out of memory", "tensorrtllm", "--tp_size"),
        ("Error: llama runner process has terminated: CUDA error: out of memory", "ollama", "num_gpu"),
        ("[error] [LMSInternal] Error: insufficient system resources", "lmstudio", "guardrails"),
        ("Exception: Capture cuda graph failed: CUDA out of memory.", "sglang", "mem_fraction_static"),
    ],
)
def test_a_server_that_is_no_engine_is_known_by_its_words(log, server, said):
    """What to do is said in its own settings; it can be named as well."""
    for named in (None, server):
        found = explained(log, named)
        assert found.engine == server
        assert said in found.failure.suggestion
    assert _call("-", "--engine", server, text=log).exit_code == Exit.FINISHED


def test_a_healthy_log_is_said_to_show_no_error():
    """Its last line is no cause, and nothing is made of it."""
    log = "INFO 11-26 10:00:00 [api_server.py:1] vllm 0.32\nINFO 11-26 10:00:01 [launcher.py:1] Route: /a\n"
    found = explained(log, None)
    assert found.failure.suggestion.startswith("The log shows no error: the server may still run.")
    for error in ("ERROR KeyError: 'a new thing'", "Segmentation fault (core dumped)"):
        found = explained(f"{log}{error}\n", None).failure
        assert found.message == error.removeprefix("ERROR ")
        assert "No pattern knows" in found.suggestion


@pytest.mark.parametrize(
    "log",
    [
        "(APIServer pid=1) RuntimeError: Engine core initialization failed. See root cause above.",
        "(APIServer pid=1) vllm.v1.engine.exceptions.EngineDeadError: EngineCore encountered an issue.",
        "[2026-01-01 00:00:00] Received sigquit from a child process.\nKilled",
        "2026-01-01T00:00:00.000Z  INFO text_generation_launcher: start\nError: ShardCannotStart",
        'level=ERROR source=sched.go:1 error="llama runner process has terminated: exit status 2"',
    ],
)
def test_the_end_of_a_log_is_said_to_lack_the_cause(log):
    """Who gives only the last lines is told that the cause stands above them, not that there is no error."""
    said = explained(f"INFO the server lives\n{log}\n", None).failure
    assert "the cause stands before these lines" in said.suggestion


@pytest.mark.parametrize(
    "line",
    [
        "INFO 11-26 10:00:00 [api_server.py:1] Request 7 cancelled",
        "llama_load: x\nwarning: failed to mlock 9-byte buffer (after 0 bytes): Cannot allocate memory",
        "common_chat_templates_init: failed to parse chat template (defaulting to chatml)",
        "srv  load: failed to find slots, will retry",
    ],
)
def test_what_a_server_lives_with_is_no_error(line):
    """A warning, or something that goes on in another way."""
    assert "shows no error" in explained(f"{line}\nlistening\n", None).failure.suggestion
