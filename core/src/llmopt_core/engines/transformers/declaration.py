"""`transformers serve`: its parameters, with the defaults that it has (transformers 5.23).

Load-time names are those of its flags, sampling names those of `GenerationConfig`, which goes with a request
as the text field `generation_config`. A default of None is the model's or the machine's to decide: what is
not said is not sent, so that the baseline is what a plain `transformers serve` does.
"""

from functools import partial

from llmopt_core.engines.containers import EngineContainer
from llmopt_core.engines.declarations import EngineDeclaration, by_full_name, set_at_load, set_by_request
from llmopt_core.engines.memory_parameters import MemoryParameters
from llmopt_core.engines.packaging import Packaging
from llmopt_core.engines.transformers.bnb_4bit import OPTIONS
from llmopt_core.engines.transformers.first_settings import suited
from llmopt_core.engines.transformers.model_fields import TRANSFORMERS_FIELDS
from llmopt_core.engines.transformers.patterns import TRANSFORMERS_LOGS
from llmopt_core.engines.transformers.preset import TRANSFORMERS_PRESET
from llmopt_core.engines.transformers.rules import canonical, conflicts, freezes_sampling
from llmopt_core.engines.transformers.serving import TRANSFORMERS_SERVER

DTYPES = ("auto", "float32", "bfloat16", "float16")
ATTENTIONS = ("eager", "sdpa", "flash_attention_2", "flash_attention_3", "flex_attention")
QUANTIZATIONS = ("none", "bnb-4bit", "bnb-8bit")
CACHES = ("dynamic", "static", "offloaded", "offloaded_static", "quantized")
SMALLEST_BLOCK_TOKENS = 4
MAX_THREADS = 512


_ENGINE = (
    set_at_load(
        "dtype",
        "text",
        "type of weights and arithmetic; auto: that of the checkpoint",
        default="auto",
        choices=DTYPES,
        changes_answers=True,
    ),
    set_at_load("device", "text", "auto: GPUs, else the CPU; or cpu, cuda, cuda:1, …", default="auto"),
    set_at_load(
        "attn_implementation",
        "text",
        "how attention is computed; unset: the model's choice, mostly sdpa",
        choices=ATTENTIONS,
    ),
    set_at_load(
        "threads",
        "int",
        "threads that compute on CPUs (OMP_NUM_THREADS); unset: one for each core",
        low=1,
        high=MAX_THREADS,
    ),
    set_at_load(
        "compile",
        "bool",
        "a static cache, and on GPUs torch.compile (not of quantised weights); not with continuous batching",
        default=False,
    ),
    set_at_load(
        "quantization",
        "text",
        "weights quantised by bitsandbytes while they are loaded; bnb-4bit as the bnb_4bit parameters say",
        default="none",
        choices=QUANTIZATIONS,
        changes_answers=True,
    ),
    *OPTIONS,
    set_at_load(
        "reasoning",
        "text",
        "thinking of models whose chat template can; auto: the template's default",
        default="auto",
        choices=("auto", "on", "off"),
        changes_answers=True,
    ),
    set_at_load(
        "continuous_batching",
        "bool",
        "requests are answered together, from a paged KV cache; without it one after another",
        default=False,
    ),
    set_at_load(
        "cb_block_size",
        "int",
        "tokens of one block of the paged cache; prompts share whole blocks",
        default=256,
        low=SMALLEST_BLOCK_TOKENS,
    ),
    set_at_load(
        "cb_num_blocks",
        "int",
        "blocks of the paged cache; unset: as many as cb_max_memory_percent has",
        low=1,
    ),
    set_at_load(
        "cb_max_batch_tokens", "int", "tokens of all requests computed in one step", default=8192, low=1
    ),
    set_at_load(
        "cb_max_memory_percent",
        "float",
        "share (0 to 1) of free memory for the paged cache; unset: 0.6 on CPUs, 0.8 to 0.9 on GPUs",
        low=0.01,
        high=1,
    ),
    set_at_load("cb_use_cuda_graph", "bool", "CUDA graphs; unset: where attention needs no mask"),
)
_SAMPLING = (
    set_by_request("temperature", "float", "0 is greedy; unset: the model's choice, mostly greedy", low=0),
    set_by_request(
        "top_k",
        "int",
        "only the k likeliest tokens; 0: off; unset: the model's, else 50 (off with continuous batching)",
        low=0,
        neutral=0,
    ),
    set_by_request("top_p", "float", "only the likeliest tokens up to this mass", low=0, high=1, neutral=1.0),
    set_by_request(
        "min_p",
        "float",
        "only tokens at least so likely against the best",
        low=0,
        high=1,
        neutral=0.0,
    ),
    set_by_request(
        "typical_p", "float", "locally typical sampling, above 0; 1: off", low=0, high=1, neutral=1.0
    ),
    set_by_request(
        "epsilon_cutoff", "float", "only tokens at least so likely; 0: off", low=0, high=1, neutral=0.0
    ),
    set_by_request(
        "eta_cutoff", "float", "epsilon_cutoff by the entropy; 0: off", low=0, high=1, neutral=0.0
    ),
    set_by_request("top_h", "float", "only tokens up to this share of the entropy, above 0", low=0, high=1),
    set_by_request(
        "repetition_penalty",
        "float",
        "penalty on tokens that occurred, above 0; not with continuous batching",
        low=0,
        neutral=1.0,
    ),
    set_by_request(
        "no_repeat_ngram_size", "int", "runs of so many tokens occur only once; 0: off", low=0, neutral=0
    ),
    set_by_request(
        "cache_implementation",
        "text",
        "KV cache of a request, tried: dynamic, static; declared: quantized, which needs optimum-quanto, and"
        " the offloaded, which need a GPU; unset: the model's, mostly dynamic; not with continuous batching",
        choices=CACHES,
    ),
    set_by_request(
        "seed", "int", "repeats an answer only while it is the only one computed", low=0, high=2**31 - 1
    ),
)
_PARAMETERS = by_full_name((*_ENGINE, *_SAMPLING))

TRANSFORMERS = EngineDeclaration(
    name="transformers",
    summary="`transformers serve`: models of the Hugging Face hub on GPUs and CPUs, quantised on the fly",
    needs_model_file=False,
    parameters=_PARAMETERS,
    canonical=partial(canonical, parameters=_PARAMETERS),
    conflicts=partial(conflicts, parameters=_PARAMETERS),
    freezes_sampling=freezes_sampling,
    server=TRANSFORMERS_SERVER,
    logs=TRANSFORMERS_LOGS,
    needs_gpu=lambda fixed: str(fixed.get("engine.device", "")).startswith("cuda"),
    preset=TRANSFORMERS_PRESET,
    memory=MemoryParameters(
        decisive=("cb_num_blocks", "cb_block_size", "cb_max_batch_tokens", "dtype", "quantization"),
        lowered=("cb_num_blocks", "cb_max_batch_tokens"),
    ),
    container=EngineContainer(
        "transformers",
        8000,
        ("--host", "0.0.0.0", "--port", "8000"),  # noqa: S104 - in a container others must reach it
        "/root/.cache/huggingface",
    ),
    packaging=Packaging(
        extra="transformers",
        separable=True,
        distributions=("transformers", "torch"),
    ),
    suited=suited,
    # A token that does not exist ends no answer. `min_new_tokens` would be ignored with continuous batching.
    fixed_length=lambda _tokens: {"eos_token_id": -1},
    model_fields=TRANSFORMERS_FIELDS,
)
