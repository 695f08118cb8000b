"""What `llmopt status` says of machines that are described by data."""

import json
import sys
from pathlib import Path

import pytest
from fakes.local_runs import manifest

from llmopt.commands.advice import Situation, advice
from llmopt.commands.status import show_status
from llmopt.environment_files import EnvironmentFile
from llmopt.local.folders import ResultsFolder
from llmopt.local.histories import StudyState
from llmopt.machine.descriptions import (
    Description,
    DeviceFound,
    EngineFound,
    GpusFound,
    RunnerUnusable,
    described,
)
from llmopt.machine.hardware import Hardware, nvidia_cards
from llmopt.machine.memory_stats import memory_stats
from llmopt.machine.processes import Found
from llmopt_core.installation import install_command

FINE = Hardware("a processor", 8, 100.0, 0)
HOST = DeviceFound(32_000, 4_000, name="host", kind="host")
ENGINES = {"llamacpp": EngineFound("xllamacpp 1"), "openai": EngineFound("endpoint")}
NO_GPUS = GpusFound(reason="NVML Shared Library Not Found")


def situation(
    *, hardware=FINE, engines=None, devices=(HOST,), gpus=NO_GPUS, trouble="", studies=(), orphans=()
):
    description = None if trouble else Description(engines or ENGINES, devices, gpus)
    return Situation(hardware, description, trouble, studies, orphans)


def describing(document):
    """A program that prints `document`, in the runner's place."""
    return (sys.executable, "-c", f"print({json.dumps(document)!r})")


DOCUMENT = {
    "engines": {"llamacpp": {"version": "xllamacpp 1", "problem": None}},
    "devices": [
        {"name": "host", "kind": "host", "total_mib": 32768, "used_mib": 8192},
        {"name": "gpu0", "kind": "gpu", "total_mib": 81920, "used_mib": 81900, "level": "EMERGENCY"},
    ],
    "gpus": {"products": ["NVIDIA H100"], "driver": "580.1", "cuda": "13.0", "reason": None},
}


def test_nothing_wrong_is_nothing_said():
    """An engine, memory, disk, and no GPU to be had: that is no fault."""
    assert list(advice(situation())) == []


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (situation(engines={**ENGINES, "vllm": EngineFound(None)}), install_command("vllm")),
        (situation(engines={**ENGINES, "vllm": EngineFound(None, "no such file")}), "vllm: no such file"),
        (situation(engines={"openai": EngineFound("endpoint")}), install_command("llamacpp")),
        (situation(hardware=Hardware("p", 8, 100.0, 2)), "2 NVIDIA card(s), but no GPU to be seen (NVML"),
        (
            situation(gpus=GpusFound(("NVIDIA L4",), "580", "13.0", "GPU 0 cannot be used: GPU is lost")),
            "GPU 0 cannot be used: GPU is lost: the other GPUs are used",
        ),
        (situation(gpus=GpusFound(unseen=("AMD GPU",))), "AMD GPU: runners watch and predict"),
        (situation(hardware=Hardware("p", 8, 1.5, 0)), "only 1.5 GiB of disk are free: `llmopt clean`"),
        (
            situation(devices=(DeviceFound(32_000, 31_000, name="host", kind="host", level="EMERGENCY"),)),
            "1,000 of 32,000 MiB of host",
        ),
        (
            situation(devices=(HOST, DeviceFound(1000, 970, name="gpu0", kind="gpu", level="EMERGENCY"))),
            "of gpu0 are free (EMERGENCY)",
        ),
        (situation(trouble="the runner does not start"), "the runner does not start"),
        (situation(orphans=(Found(4711, 1, (), "", "m"),)), "(4711): `llmopt clean` ends them"),
        (situation(studies=(StudyState(ResultsFolder(Path("x")), trouble="garbage"),)), "x: garbage"),
    ],
)
def test_each_fault_comes_with_its_remedy(seen, said):
    """One line names what is wrong and what to do."""
    assert any(said in line for line in advice(seen))


def test_the_status_shows_hardware_engines_studies_and_faults(tmp_path, capsys, monkeypatch):
    """One row each, GPUs with driver, CUDA and level; faults below."""
    monkeypatch.setenv("COLUMNS", "300")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "manifest.yaml").write_text(manifest(name="mine"))
    show_status(tmp_path, None, detailed=True, command=describing(DOCUMENT))
    output = capsys.readouterr().out
    assert "24.0 of 32.0 GiB free (SAFE, 25 % in use)" in output
    assert "1 x NVIDIA H100; driver 580.1, CUDA 13.0; gpu0 0.0 of 80.0 GiB free (EMERGENCY" in output
    assert "1 in" in output
    assert "unreadable" in output
    assert "! little memory: 20 of 81,920 MiB of gpu0 are free (EMERGENCY)" in output


def test_the_status_as_json_has_what_is_shown(tmp_path, capsys):
    """Programs get devices, engines, studies and advice, and nothing but JSON is printed."""
    show_status(tmp_path, None, detailed=False, as_json=True, command=describing(DOCUMENT))
    document = json.loads(capsys.readouterr().out)
    assert document["devices"][0]["free_mib"] == 24576
    assert document["engines"]["llamacpp"]["version"] == "xllamacpp 1"
    assert document["studies"] == []
    assert any("gpu0" in line for line in document["advice"])


def test_the_memory_of_this_machine_is_there_for_python():
    """The host comes first, then each GPU, with what is free and the guard's level."""
    host, gpu = memory_stats(describing(DOCUMENT))
    assert (host.name, host.free_mib, host.percent) == ("host", 24576, 25)
    assert (gpu.name, gpu.level) == ("gpu0", "EMERGENCY")


def test_what_a_file_of_variables_set_is_listed(tmp_path, capsys):
    """The names are shown, by what became of them."""
    environment = EnvironmentFile(Path(".env"), taken=("HF_TOKEN",), unknown=("FOO",))
    show_status(tmp_path, None, detailed=False, environment=environment, command=describing(DOCUMENT))
    printed = " ".join(capsys.readouterr().out.split())
    assert ".env HF_TOKEN; not variables that llmopt takes from a file: FOO" in printed


def test_a_runner_that_does_not_start_is_the_first_fault(tmp_path, capsys, monkeypatch):
    """What can be seen without it is shown all the same, and a missing package is named with its remedy."""
    monkeypatch.setenv("COLUMNS", "300")
    show_status(tmp_path, None, detailed=False, command=(sys.executable, "-c", "import no_such_module"))
    output = capsys.readouterr().out
    assert "processor" in output
    assert "No module named 'no_such_module'" in output
    assert install_command("runner") in output


def test_a_runner_of_another_version_is_said_so():
    """What it prints is not understood: reinstalling fixes it."""
    with pytest.raises(RunnerUnusable, match="reinstall llmopt"):
        described(describing({"engines": []}))


def test_cards_are_counted_with_or_without_a_driver(tmp_path):
    """Display and compute cards of NVIDIA count; their sound devices and other makers' cards do not."""
    cards = {"a": ("0x10de", "0x030200"), "b": ("0x10de", "0x030000"), "c": ("0x10de", "0x040300"),
             "d": ("0x1002", "0x030000")}  # fmt: skip
    for name, (vendor, kind) in cards.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "vendor").write_text(f"{vendor}\n")
        (tmp_path / name / "class").write_text(f"{kind}\n")
    (tmp_path / "e").mkdir()
    assert nvidia_cards(tmp_path) == 2
    assert nvidia_cards(tmp_path / "nowhere") == 0
