"""What it saves to group trials by engine load: the same trials on one `transformers serve`, and on one each.

The trials differ in sampling alone, as those of one group do. Prints the wall time of both ways and their
quotient for trials of two lengths; the engine and the model are those of the tests.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

import anyio
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from fakes.engine_environments import safetensors_folder, use_engine

from llmopt_core.search.configurations import Configuration
from llmopt_runner.datasets.arithmetic import arithmetic
from llmopt_runner.engines.base import LaunchSettings
from llmopt_runner.engines.server import EngineServer
from llmopt_runner.engines.transformers import Transformers
from llmopt_runner.load.client import run_load
from llmopt_runner.load.requests import ChatRequest, Endpoint
from llmopt_runner.load.shapes import ClosedLoop
from llmopt_runner.loading import EngineSlot

TRIALS = 8  # as many as one load serves at most
ITEMS = (4, 8)  # of a short and of a longer trial
TOKENS = 8
LIMIT_SECONDS = 600.0


def configurations(engine: Transformers) -> list[Configuration]:
    """Return the trials' configurations: one engine, several temperatures."""
    temperatures = [round(0.1 * place, 1) for place in range(TRIALS)]
    return [
        engine.declaration.canonical(
            Configuration(engine={"device": "cpu", "dtype": "float32"}, sampling={"temperature": each})
        )
        for each in temperatures
    ]


def measure(server: EngineServer, engine: Transformers, configuration: Configuration, items: int) -> None:
    """Send the requests of one trial."""
    fields = engine.request_fields(configuration.sampling)
    requests = [
        ChatRequest(item.id, ({"role": "user", "content": item.question},), TOKENS, fields)
        for item in arithmetic().items(items, 0)
    ]
    endpoint = Endpoint(server.base_url, server.model, None)

    async def send() -> None:
        run = await run_load(endpoint, requests, ClosedLoop(2), request_timeout_seconds=LIMIT_SECONDS)
        if any(record.error for record in run.records):
            raise SystemExit(f"requests failed: {run.records}")

    anyio.run(send)


def run(folder: Path, items: int, *, reuse: bool) -> tuple[float, int]:
    """Return the wall seconds of all trials, and how often the engine was started."""
    engine = Transformers()

    def settings(configuration: Configuration) -> LaunchSettings:
        log = folder / f"{time.time_ns()}.log"
        return LaunchSettings(safetensors_folder(), "small", folder, log, parameters=configuration.engine)

    slot = EngineSlot(engine, settings, LIMIT_SECONDS)
    began, starts = time.monotonic(), 0
    try:
        for configuration in configurations(engine):
            server, load_seconds = slot.ensure(configuration, configuration.flat(), lambda: False)
            starts += load_seconds > 0
            measure(server, engine, configuration, items)
            if not reuse:
                slot.close()
    finally:
        slot.close()
    return time.monotonic() - began, starts


def main() -> None:
    """Print the table."""
    use_engine("transformers")
    os.environ["HF_HUB_OFFLINE"] = "1"
    table = Table(
        f"{TRIALS} trials of", "one engine each, s", "starts", "one for all, s", "starts", "quotient"
    )
    for items in ITEMS:
        with tempfile.TemporaryDirectory() as folder:
            apart, apart_starts = run(Path(folder), items, reuse=False)
            together, starts = run(Path(folder), items, reuse=True)
        figures = (
            f"{apart:.1f}",
            str(apart_starts),
            f"{together:.1f}",
            str(starts),
            f"{apart / together:.1f}",
        )
        table.add_row(f"{items} requests of {TOKENS} tokens", *figures)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
