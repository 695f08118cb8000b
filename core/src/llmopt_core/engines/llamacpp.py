"""llama.cpp's server: its parameters, with the defaults that its library has (xllamacpp 2026.10).

Names are those of `llama-server` and of its request fields; `n_ctx` is the total over all slots.
"""

from llmopt_core.engines.declarations import EngineDeclaration, Kind, ParameterDeclaration, When, by_full_name
from llmopt_core.engines.llamacpp_rules import canonical, conflicts
from llmopt_core.search.configurations import Configuration, Value

MAX_SLOTS = 256
MAX_THREADS = 512
RANDOM_SEED = -1
CACHE_TYPES = ("f32", "f16", "bf16", "q8_0", "q4_0", "q4_1", "iq4_nl", "q5_0", "q5_1")
LOAD_MODES = ("auto", "none", "mmap", "mlock", "mmap_mlock", "direct_io")


def _load(
    name: str,
    kind: Kind,
    meaning: str,
    *,
    default: Value | None,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] | None = None,
) -> ParameterDeclaration:
    return ParameterDeclaration(name, "engine", kind, When.LOAD, default, meaning, low, high, choices)


def _request(
    name: str,
    kind: Kind,
    meaning: str,
    *,
    default: Value,
    neutral: Value,
    low: float | None = None,
    high: float | None = None,
) -> ParameterDeclaration:
    return ParameterDeclaration(
        name, "sampling", kind, When.REQUEST, default, meaning, low, high, neutral=neutral
    )


_ENGINE = (
    _load("n_parallel", "int", "slots: requests served at the same time", default=1, low=1, high=MAX_SLOTS),
    _load("n_ctx", "int", "tokens of context, TOTAL over all slots; 0: what the model has", default=0, low=0),
    _load("n_batch", "int", "tokens of prompts taken in one step; at least n_parallel", default=2048, low=2),
    _load("n_ubatch", "int", "tokens computed at once; at most n_batch", default=512, low=1),
    _load(
        "threads",
        "int",
        "threads that generate; unset: the machine's cores",
        default=None,
        low=1,
        high=MAX_THREADS,
    ),
    _load(
        "threads_batch",
        "int",
        "threads that read prompts; unset: as threads",
        default=None,
        low=1,
        high=MAX_THREADS,
    ),
    _load("cache_type_k", "text", "type of the KV cache's keys", default="f16", choices=CACHE_TYPES),
    _load("cache_type_v", "text", "type of the KV cache's values", default="f16", choices=CACHE_TYPES),
    _load("flash_attn", "text", "flash attention", default="auto", choices=("auto", "on", "off")),
    _load("n_gpu_layers", "int", "layers on the GPU; -1: as many as fit", default=-1, low=-1),
    _load("cont_batching", "bool", "new requests join while others generate", default=True),
    _load("cache_prompt", "bool", "a prompt's prefix is not computed again in its slot", default=True),
    _load(
        "cache_reuse",
        "int",
        "smallest chunk of tokens reused by shifting the cache; 0: off",
        default=0,
        low=0,
    ),
    _load(
        "cache_ram_mib", "int", "MiB for caches of idle slots; 0: none, -1: no limit", default=8192, low=-1
    ),
    _load("kv_unified", "bool", "one KV buffer shared by all slots", default=False),
    _load("context_shift", "bool", "old tokens make room when a slot is full", default=False),
    _load("load_mode", "text", "how the weights get into memory", default="auto", choices=LOAD_MODES),
    _load("warmup", "bool", "one empty run before the first request", default=True),
)
_SAMPLING = (
    _request("temperature", "float", "0 is greedy", default=0.8, neutral=1.0, low=0),
    _request("top_k", "int", "only the k likeliest tokens; 0: off", default=40, neutral=0, low=0),
    _request(
        "top_p",
        "float",
        "only the likeliest tokens up to this mass",
        default=0.95,
        neutral=1.0,
        low=0,
        high=1,
    ),
    _request(
        "min_p",
        "float",
        "only tokens at least so likely against the best",
        default=0.05,
        neutral=0.0,
        low=0,
        high=1,
    ),
    _request("typical_p", "float", "locally typical sampling", default=1.0, neutral=1.0, low=0, high=1),
    _request(
        "top_n_sigma",
        "float",
        "only logits within n deviations of the best",
        default=-1.0,
        neutral=-1.0,
        low=-1,
    ),
    _request(
        "dynatemp_range",
        "float",
        "temperature moves by this with the entropy",
        default=0.0,
        neutral=0.0,
        low=0,
    ),
    _request(
        "dynatemp_exponent", "float", "how entropy maps to temperature", default=1.0, neutral=1.0, low=0
    ),
    _request(
        "xtc_probability",
        "float",
        "chance that top tokens are excluded",
        default=0.0,
        neutral=0.0,
        low=0,
        high=1,
    ),
    _request(
        "xtc_threshold",
        "float",
        "how likely a token must be to be excluded",
        default=0.1,
        neutral=0.1,
        low=0,
        high=1,
    ),
    _request(
        "repeat_penalty", "float", "penalty on repeated tokens, above 0", default=1.0, neutral=1.0, low=0
    ),
    _request(
        "repeat_last_n", "int", "tokens that penalties look back on; 0: off", default=64, neutral=64, low=0
    ),
    _request("presence_penalty", "float", "penalty on tokens that occurred", default=0.0, neutral=0.0),
    _request("frequency_penalty", "float", "penalty per occurrence of a token", default=0.0, neutral=0.0),
    _request("dry_multiplier", "float", "DRY penalty on repeated sequences", default=0.0, neutral=0.0, low=0),
    _request("dry_base", "float", "growth of the DRY penalty", default=1.75, neutral=1.75, low=1),
    _request("dry_allowed_length", "int", "repeats as long as this are free", default=2, neutral=2, low=0),
    _request(
        "seed",
        "int",
        "-1: a new one for each request",
        default=RANDOM_SEED,
        neutral=RANDOM_SEED,
        low=-1,
        high=2**32 - 1,
    ),
)

_PARAMETERS = by_full_name((*_ENGINE, *_SAMPLING))


def _canonical(configuration: Configuration) -> Configuration:
    return canonical(configuration, _PARAMETERS)


def _conflicts(configuration: Configuration) -> tuple[str, ...]:
    return conflicts(configuration, _PARAMETERS)


LLAMACPP = EngineDeclaration(
    name="llamacpp",
    summary="llama.cpp's own server, embedded: GGUF models on CPUs and GPUs",
    needs_model_file=True,
    parameters=_PARAMETERS,
    canonical=_canonical,
    conflicts=_conflicts,
)
