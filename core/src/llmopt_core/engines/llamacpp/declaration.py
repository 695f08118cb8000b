"""llama.cpp's server: its parameters, with the defaults that its library has (xllamacpp 2026.10).

Names are those of `llama-server` and of its request fields; `n_ctx` is the total over all slots.
"""

from functools import partial

from llmopt_core.engines.containers import EngineContainer
from llmopt_core.engines.declarations import EngineDeclaration, by_full_name, set_at_load, set_by_request
from llmopt_core.engines.llamacpp.first_settings import suited
from llmopt_core.engines.llamacpp.flags import SPECULATION_TYPES, other_names
from llmopt_core.engines.llamacpp.model_fields import LLAMACPP_FIELDS
from llmopt_core.engines.llamacpp.patterns import LLAMACPP_LOGS
from llmopt_core.engines.llamacpp.preset import LLAMACPP_PRESET
from llmopt_core.engines.llamacpp.rules import canonical, conflicts
from llmopt_core.engines.llamacpp.serving import LLAMACPP_SERVER
from llmopt_core.engines.memory_parameters import MemoryParameters
from llmopt_core.engines.packaging import Packaging

MAX_SLOTS = 256
MAX_THREADS = 512
RANDOM_SEED = -1
CACHE_TYPES = ("f32", "f16", "bf16", "q8_0", "q4_0", "q4_1", "iq4_nl", "q5_0", "q5_1")
LOAD_MODES = ("auto", "none", "mmap", "mlock", "mmap_mlock", "direct_io")


_ENGINE = (
    set_at_load(
        "n_parallel", "int", "slots: requests served at the same time", default=1, low=1, high=MAX_SLOTS
    ),
    set_at_load(
        "n_ctx", "int", "tokens of context, TOTAL over all slots; 0: what the model has", default=0, low=0
    ),
    set_at_load(
        "n_batch", "int", "tokens of prompts taken in one step; at least n_parallel", default=2048, low=2
    ),
    set_at_load("n_ubatch", "int", "tokens computed at once; at most n_batch", default=512, low=1),
    set_at_load(
        "threads",
        "int",
        "threads that generate; unset: the machine's cores",
        default=None,
        low=1,
        high=MAX_THREADS,
    ),
    set_at_load(
        "threads_batch",
        "int",
        "threads that read prompts; unset: as threads",
        default=None,
        low=1,
        high=MAX_THREADS,
    ),
    set_at_load(
        "cache_type_k",
        "text",
        "type of the KV cache's keys",
        default="f16",
        choices=CACHE_TYPES,
        changes_answers=True,
    ),
    set_at_load(
        "cache_type_v",
        "text",
        "type of the KV cache's values",
        default="f16",
        choices=CACHE_TYPES,
        changes_answers=True,
    ),
    set_at_load("flash_attn", "text", "flash attention", default="auto", choices=("auto", "on", "off")),
    set_at_load("n_gpu_layers", "int", "layers on the GPU; -1: as many as fit", default=-1, low=-1),
    set_at_load("cont_batching", "bool", "new requests join while others generate", default=True),
    set_at_load("cache_prompt", "bool", "a prompt's prefix is not computed again in its slot", default=True),
    set_at_load(
        "cache_reuse",
        "int",
        "smallest chunk of tokens reused by shifting the cache; 0: off",
        default=0,
        low=0,
        changes_answers=True,
    ),
    set_at_load(
        "cache_ram_mib", "int", "MiB for caches of idle slots; 0: none, -1: no limit", default=8192, low=-1
    ),
    set_at_load("kv_unified", "bool", "one KV buffer shared by all slots", default=False),
    set_at_load(
        "context_shift",
        "bool",
        "old tokens are dropped when a slot is full",
        default=False,
        changes_answers=True,
    ),
    set_at_load("load_mode", "text", "how the weights get into memory", default="auto", choices=LOAD_MODES),
    set_at_load("warmup", "bool", "one empty run before the first request", default=True),
    set_at_load(
        "fit", "bool", "what is not set is chosen so that it fits into the memory that is free", default=True
    ),
    set_at_load("kv_offload", "bool", "the KV cache lies on the GPU", default=True, tried=False),
    set_at_load(
        "split_mode",
        "text",
        "what GPUs share",
        default="layer",
        choices=("none", "layer", "row", "tensor"),
        tried=False,
    ),
    set_at_load("tensor_split", "text", 'shares of the model on each GPU, as in "3,1"', tried=False),
    set_at_load("main_gpu", "int", "GPU of split_mode none and row", default=0, low=0, tried=False),
    set_at_load(
        "n_cpu_moe", "int", "layers whose experts stay in main memory", default=0, low=0, tried=False
    ),
    set_at_load(
        "override_tensor",
        "text",
        "where tensors lie, PATTERN=BUFFER with commas between several, as in \\.ffn_.*_exps\\.=CPU",
    ),
    set_at_load(
        "spec_type",
        "text",
        "how tokens are guessed ahead; declared only: draft-eagle3 and draft-mtp, which need such a model",
        default="none",
        choices=SPECULATION_TYPES,
    ),
    set_at_load("spec_draft_model", "text", "GGUF file of the model that guesses"),
    set_at_load("spec_draft_n_max", "int", "tokens that the model guesses at most", default=3, low=1),
    set_at_load("spec_draft_n_min", "int", "fewer guesses are not checked", default=0, low=0),
    set_at_load(
        "spec_draft_p_min", "float", "guesses end where one is less likely", default=0.0, low=0, high=1
    ),
    set_at_load("spec_ngram_simple_size_n", "int", "tokens that ngram-simple looks up", default=12, low=1),
    set_at_load("spec_ngram_simple_size_m", "int", "tokens that ngram-simple guesses", default=48, low=1),
)
_SAMPLING = (
    set_by_request("temperature", "float", "0 is greedy", default=0.8, neutral=1.0, low=0),
    set_by_request("top_k", "int", "only the k likeliest tokens; 0: off", default=40, neutral=0, low=0),
    set_by_request(
        "top_p",
        "float",
        "only the likeliest tokens up to this mass",
        default=0.95,
        neutral=1.0,
        low=0,
        high=1,
    ),
    set_by_request(
        "min_p",
        "float",
        "only tokens at least so likely against the best",
        default=0.05,
        neutral=0.0,
        low=0,
        high=1,
    ),
    set_by_request("typical_p", "float", "locally typical sampling", default=1.0, neutral=1.0, low=0, high=1),
    set_by_request(
        "top_n_sigma",
        "float",
        "only logits within n deviations of the best",
        default=-1.0,
        neutral=-1.0,
        low=-1,
    ),
    set_by_request(
        "dynatemp_range",
        "float",
        "temperature moves by this with the entropy",
        default=0.0,
        neutral=0.0,
        low=0,
    ),
    set_by_request(
        "dynatemp_exponent", "float", "how entropy maps to temperature", default=1.0, neutral=1.0, low=0
    ),
    set_by_request(
        "xtc_probability",
        "float",
        "chance that top tokens are excluded",
        default=0.0,
        neutral=0.0,
        low=0,
        high=1,
    ),
    set_by_request(
        "xtc_threshold",
        "float",
        "how likely a token must be to be excluded",
        default=0.1,
        neutral=0.1,
        low=0,
        high=1,
    ),
    set_by_request(
        "repeat_penalty", "float", "penalty on repeated tokens, above 0", default=1.0, neutral=1.0, low=0
    ),
    set_by_request(
        "repeat_last_n", "int", "tokens that penalties look back on; 0: off", default=64, neutral=64, low=0
    ),
    set_by_request("presence_penalty", "float", "penalty on tokens that occurred", default=0.0, neutral=0.0),
    set_by_request(
        "frequency_penalty", "float", "penalty per occurrence of a token", default=0.0, neutral=0.0
    ),
    set_by_request(
        "dry_multiplier", "float", "DRY penalty on repeated sequences", default=0.0, neutral=0.0, low=0
    ),
    set_by_request("dry_base", "float", "growth of the DRY penalty", default=1.75, neutral=1.75, low=1),
    set_by_request(
        "dry_allowed_length", "int", "repeats as long as this are free", default=2, neutral=2, low=0
    ),
    set_by_request(
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

LLAMACPP = EngineDeclaration(
    name="llamacpp",
    summary="llama.cpp's own server, embedded: GGUF models on CPUs and GPUs",
    needs_model_file=True,
    parameters=_PARAMETERS,
    canonical=partial(canonical, parameters=_PARAMETERS),
    conflicts=partial(conflicts, parameters=_PARAMETERS),
    server=LLAMACPP_SERVER,
    other_names=other_names(),
    logs=LLAMACPP_LOGS,
    needs_gpu=lambda fixed: int(fixed.get("engine.n_gpu_layers", 0)) > 0,
    preset=LLAMACPP_PRESET,
    memory=MemoryParameters(
        decisive=(
            "n_ctx",
            "n_parallel",
            "n_batch",
            "n_ubatch",
            "cache_type_k",
            "cache_type_v",
            "n_gpu_layers",
            "cache_ram_mib",
        ),
        lowered=("n_ctx", "n_parallel"),
    ),
    container=EngineContainer(
        "/app/llama-server",
        8080,
        ("--host", "0.0.0.0", "--port", "8080"),  # noqa: S104 - in a container others must reach it
        "/root/.cache/llama.cpp",
        "ghcr.io/ggml-org/llama.cpp:server",
        "ghcr.io/ggml-org/llama.cpp:server-cuda",
    ),
    packaging=Packaging(extra="llamacpp", distributions=("xllamacpp",), variables=("GGML_",)),
    suited=suited,
    fixed_length=lambda _tokens: {"ignore_eos": True},
    model_fields=LLAMACPP_FIELDS,
)
