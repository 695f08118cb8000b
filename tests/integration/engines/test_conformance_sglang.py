"""SGLang's engine against what every engine must do, with a STAND-IN for its server, which needs a GPU."""

import sys
from pathlib import Path

import fakes.sglang_stand_in
import pytest
from fakes.engine_cases import DAMAGED_FOLDERS, EngineCase, safetensors
from fakes.engine_conformance import *  # noqa: F403 - the whole suite runs over CASES

from llmopt_core.api.environment import engine_program
from llmopt_core.search.configurations import Configuration
from llmopt_runner.engines.sglang.engine import Sglang

CASES = (
    EngineCase(
        "sglang-stand-in",
        Sglang(),
        {
            "context_length": 1024,
            "max_running_requests": 1,
            "disable_radix_cache": True,
            "enable_deterministic_inference": True,
        },
        model=safetensors,
        absent="absent",
        damages=DAMAGED_FOLDERS,
        command_has_sampling=False,
    ),
)


@pytest.fixture(scope="module", autouse=True)
def stand_in(tmp_path_factory):
    """The program that SGLang's engine finds: the stand-in, under SGLang's name."""
    program = tmp_path_factory.mktemp("bin") / "sglang"
    folder = Path(fakes.sglang_stand_in.__file__).parent
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -P {folder}/sglang_stand_in.py "$@"\n')
    program.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(engine_program("sglang"), str(program))
        yield program


def test_the_server_says_what_it_was_given(served):
    """Facts from its log lines, and what its counters grew by."""
    facts = served.server.facts()
    assert (facts["n_ctx"], facts["max_running_requests"], facts["kv_cache_tokens"]) == (1024, 1, 1024)
    before = served.server.counters()
    served.post({"temperature": 0}, question="Count.")
    assert served.server.counters()["prompt_tokens"] > before["prompt_tokens"]


def test_a_server_is_made_fresh_for_the_next_trial(served):
    """Its cache is emptied by its own path; without one it is fresh."""
    with_cache = Configuration(engine={**served.case.parameters, "disable_radix_cache": False})
    assert served.case.engine.make_fresh(served.server, with_cache)
    assert served.case.engine.make_fresh(served.server, Configuration(engine=served.case.parameters))
