"""What a kept compile cache saves of a start of vLLM: the first start with an empty folder, then others.

Prints for each start the seconds until its first completion, what of them vLLM compiled for, and whether it
found its graphs.
Engine and model are those of the tests.
"""

import argparse
import os
import tempfile
from pathlib import Path

from fakes.engine_environments import REPOSITORY, safetensors_folder, use_engine
from rich.console import Console

from llmopt_core.api.environment import Variable
from llmopt_core.engines.vllm.declaration import VLLM
from llmopt_core.search.configurations import Configuration, Value
from llmopt_runner.engines.base import LaunchSettings
from llmopt_runner.engines.server import EngineServer
from llmopt_runner.engines.vllm.engine import Vllm

START_SECONDS = 900
# Compiled, and with a cache of a given size, as a CPU wants it.
PARAMETERS: dict[str, Value] = {"kv_cache_memory_mib": 128, "max_model_len": 512, "max_num_seqs": 4}


def start(folder: Path, name: str) -> dict[str, object]:
    """Start the server once; return its facts, and the seconds until its first completion."""
    engine = Vllm()
    settings = LaunchSettings(
        safetensors_folder(),
        REPOSITORY.rpartition("/")[2],
        folder,
        folder / f"{name}.log",
        parameters=VLLM.canonical(Configuration(engine=PARAMETERS)).engine,
    )
    with EngineServer(engine, settings) as server:
        seconds = server.start(START_SECONDS)
        return {**server.facts(), "start_seconds": seconds}


def main() -> None:
    """Print a row for each start."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--warm", type=int, default=2, help="starts after the first")
    count = arguments.parse_args().warm
    use_engine("vllm")
    console = Console()
    console.print("start, compile cache, seconds until the first completion, seconds of compilation")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ[Variable.COMPILE_CACHE] = str(folder / "compiled")
        for number in range(1 + count):
            facts = start(folder, str(number))
            seconds, compiled = facts["start_seconds"], facts.get("compile_seconds", "-")
            console.print(f"{number}, {facts.get('compile_cache', '-')}, {seconds:.1f}, {compiled}")


if __name__ == "__main__":
    main()
