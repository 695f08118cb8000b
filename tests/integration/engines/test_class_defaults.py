"""The sizes that predictions take from configuration classes against those of the installed transformers."""

import json
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest
from fakes.engine_environments import use_engine

pytestmark = pytest.mark.slow
LIMIT_SECONDS = 240
SCRIPT = Path(__file__).parents[3] / "scripts" / "model_defaults.py"


def test_the_data_is_what_the_installed_transformers_says():
    """Every size of every class: another version needs `scripts/read-model-defaults`."""
    python = use_engine("transformers") / "python"
    if not python.exists():
        python = python.parent / "bin" / "python"
    said = subprocess.run(
        [python, SCRIPT], stdout=subprocess.PIPE, check=True, text=True, timeout=LIMIT_SECONDS
    ).stdout
    data = files("llmopt_runner.models").joinpath("class_defaults.json").read_text(encoding="utf-8")
    assert json.loads(data) == json.loads(said)
