"""`llmopt fit`: its table, its terms, its JSON, of answers of a program in the runner's place."""

import json
import sys
from dataclasses import replace

import pytest
import typer

from llmopt.commands.fit import mib, show_fits
from llmopt.machine.fits import Asked
from llmopt_core.api.exit_codes import Exit

ASKED = Asked("org/name", 24576.0, 2, 32768, None, 0.92, 1024.0)
FIT = {
    "weights": "bfloat16",
    "kv_type": "16 bits",
    "weights_mib": 8192.0,
    "kv_bytes_per_token": 73728.0,
    "kv_bytes_per_further_token": 36864.0,
    "state_mib": 0.0,
    "kv_cache_mib": 1152.0,
    "least_kv_cache_mib": 1148.5,
    "left_mib": 12000.0,
    "longest_context": 131072,
    "concurrency": 10,
    "stage": None,
    "terms": [{"name": "weights", "mib": 8192.0, "source": "elements of the files x 2 bytes"}],
}
ANSWER = {
    "model": "org/name",
    "draft": None,
    "max_context": 131072,
    "context": 32768,
    "gpus": 2,
    "split": {
        "tensor": 2,
        "pipeline": 1,
        "data": 1,
        "whole_experts": False,
        "gpus": 2,
        "assumed": ["tensor", "data"],
    },
    "hardware": {"gpus": 2, "memory_mib": 24576.0, "share": 0.92, "reserve_mib": 1024.0},
    "problem": None,
    "notes": ["as vLLM allocates it"],
    "fits": [FIT],
}


def _shown(capsys, answer, *, as_json=False, explained=False):
    program = (sys.executable, "-c", f"print({json.dumps(answer)!r})")
    code = show_fits(ASKED, as_json=as_json, explained=explained, command=program)
    return code, capsys.readouterr()


def test_the_table_has_what_fits(capsys):
    """Weights, a token, a request, the longest and how many, for each choice of types."""
    code, seen = _shown(capsys, ANSWER)
    assert code is Exit.FINISHED
    for words in ("on 2 GPUs of 24.00 GiB", "8.00 GiB", "73,728 B", "1.12 GiB", "131,072", "10"):
        assert words in seen.out


def test_each_term_is_explained(capsys):
    """--explain says where every number comes from."""
    _, seen = _shown(capsys, ANSWER, explained=True)
    assert "weights: elements of the files x 2 bytes" in seen.out
    assert "36,864" in seen.out


def test_the_split_is_said_with_what_was_assumed(capsys):
    """Every size, and whether it was given; GPUs that it leaves unused; what differs between stages."""
    _, seen = _shown(capsys, ANSWER)
    assert "split: tensor parallel 2 (assumed), pipeline parallel 1, data parallel 1 (assumed)\n" in seen.out
    split = {"tensor": 1, "pipeline": 2, "data": 2, "whole_experts": True, "gpus": 4, "assumed": []}
    answer = {**ANSWER, "gpus": 8, "split": split, "fits": [{**FIT, "stage": 2}]}
    _, seen = _shown(capsys, answer, explained=True)
    assert "data parallel 2, whole experts on each GPU; 4 of 8 GPUs are used" in seen.out
    assert "requests are those of all 2 replicas together" in seen.out
    assert "on each GPU of stage 2 of 2, which needs most:" in seen.out


def test_one_gpu_has_no_split(capsys):
    """Nothing is said of what cannot be."""
    _, seen = _shown(capsys, {**ANSWER, "gpus": 1})
    assert "split" not in seen.out


def test_sizes_are_passed_on_where_they_are_given():
    """Each as the runner's program takes it."""
    assert not [each for each in ASKED.arguments if "parallel" in each]
    asked = replace(ASKED, tensor_parallel=4, pipeline_parallel=2, data_parallel=3, expert_parallel=True)
    assert asked.arguments[-4:] == (
        "--tensor-parallel=4", "--pipeline-parallel=2", "--data-parallel=3", "--expert-parallel",
    )  # fmt: skip


def test_json_is_the_whole_answer(capsys):
    """--json leaves nothing out."""
    _, seen = _shown(capsys, ANSWER, as_json=True)
    assert json.loads(seen.out) == ANSWER


def test_weights_that_leave_nothing_do_not_fit(capsys):
    """It is said in words, whatever the cache would need."""
    _, seen = _shown(capsys, {**ANSWER, "fits": [{**FIT, "left_mib": -5.0, "longest_context": 0}]})
    assert "does not fit" in seen.out


def test_what_is_not_known_is_no_number(capsys):
    """A layout that is not understood says why, and without GPUs the option is named."""
    unknown = dict.fromkeys(
        ("kv_bytes_per_token", "kv_cache_mib", "left_mib", "longest_context", "concurrency")
    )
    answer = {**ANSWER, "hardware": None, "problem": "its layers are new", "fits": [{**FIT, **unknown}]}
    _, seen = _shown(capsys, answer)
    assert "! the cache is not predicted: its layers are new" in seen.out
    assert "--gpu-memory" in seen.out


def test_a_model_that_cannot_be_read_is_one_line(capsys):
    """The runner's words, on standard error."""
    code, seen = _shown(capsys, {"error": "org/name: there is no such model"})
    assert (code, seen.out, seen.err) == (Exit.INVALID, "", "error: org/name: there is no such model\n")


def test_a_runner_of_another_version_is_said(capsys):
    """What it prints is checked before it is believed."""
    code, seen = _shown(capsys, {"model": 3})
    assert code is Exit.FAILED
    assert "reinstall llmopt" in seen.err


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("24GiB", 24576),
        ("24", 24576),
        ("24Gi", 24576),
        ("0.5 GiB", 512),
        ("512MiB", 512),
        ("80GB", 76293.945),
    ],
)
def test_sizes(text, size):
    """As people write them; a number alone is GiB."""
    assert mib(text, "--gpu-memory") == pytest.approx(size, abs=0.001)


@pytest.mark.parametrize("text", ["", "many", "24XB", "-1GiB", "0GiB", "0", "1e99", "24 GiB each"])
def test_a_size_that_is_none_names_the_option(text):
    """With what was given and what is expected."""
    with pytest.raises(typer.BadParameter, match="24GiB"):
        mib(text, "--gpu-memory")
