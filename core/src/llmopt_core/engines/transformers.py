"""`transformers serve`: its parameters, with the defaults that it has (transformers 5.23).

Load-time names are those of its flags, sampling names those of `GenerationConfig`, which goes with a request
as the text field `generation_config`. A default of None is the model's or the machine's to decide: what is
not said is not sent, so that the baseline is what a plain `transformers serve` does.
"""

from llmopt_core.engines.declarations import EngineDeclaration, Kind, ParameterDeclaration, When, by_full_name
from llmopt_core.engines.transformers_rules import canonical, conflicts, freezes_sampling
from llmopt_core.search.configurations import Configuration, Value

DTYPES = ("auto", "float32", "bfloat16", "float16")
ATTENTIONS = ("eager", "sdpa", "flash_attention_2", "flash_attention_3", "flex_attention")
QUANTIZATIONS = ("none", "bnb-4bit", "bnb-8bit")
SMALLEST_BLOCK_TOKENS = 4
MAX_THREADS = 512


def _load(
    name: str,
    kind: Kind,
    meaning: str,
    *,
    default: Value | None = None,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] | None = None,
) -> ParameterDeclaration:
    return ParameterDeclaration(name, "engine", kind, When.LOAD, default, meaning, low, high, choices)


def _sampling(
    name: str,
    kind: Kind,
    meaning: str,
    *,
    low: float | None = None,
    high: float | None = None,
    neutral: Value | None = None,
) -> ParameterDeclaration:
    return ParameterDeclaration(
        name, "sampling", kind, When.REQUEST, None, meaning, low, high, neutral=neutral
    )


_ENGINE = (
    _load(
        "dtype",
        "text",
        "type of weights and arithmetic; auto: that of the checkpoint",
        default="auto",
        choices=DTYPES,
    ),
    _load("device", "text", "auto: GPUs, else the CPU; or cpu, cuda, cuda:1, …", default="auto"),
    _load(
        "attn_implementation",
        "text",
        "how attention is computed; unset: the model's choice, mostly sdpa",
        choices=ATTENTIONS,
    ),
    _load(
        "threads",
        "int",
        "threads that compute on CPUs (OMP_NUM_THREADS); unset: one for each core",
        low=1,
        high=MAX_THREADS,
    ),
    _load("compile", "bool", "torch.compile and a static cache; not with continuous batching", default=False),
    _load(
        "quantization",
        "text",
        "weights quantised by bitsandbytes while they are loaded",
        default="none",
        choices=QUANTIZATIONS,
    ),
    _load(
        "reasoning",
        "text",
        "thinking of models whose chat template can; auto: the template's default",
        default="auto",
        choices=("auto", "on", "off"),
    ),
    _load(
        "continuous_batching",
        "bool",
        "requests are answered together, from a paged KV cache; without it one after another",
        default=False,
    ),
    _load(
        "cb_block_size",
        "int",
        "tokens of one block of the paged cache; prompts share whole blocks",
        default=256,
        low=SMALLEST_BLOCK_TOKENS,
    ),
    _load(
        "cb_num_blocks",
        "int",
        "blocks of the paged cache; unset: as many as cb_max_memory_percent has",
        low=1,
    ),
    _load("cb_max_batch_tokens", "int", "tokens of all requests computed in one step", default=8192, low=1),
    _load(
        "cb_max_memory_percent",
        "float",
        "share (0 to 1) of free memory for the paged cache; unset: 0.6 on CPUs, 0.8 to 0.9 on GPUs",
        low=0.01,
        high=1,
    ),
    _load("cb_use_cuda_graph", "bool", "CUDA graphs; unset: where attention needs no mask"),
)
_SAMPLING = (
    _sampling("temperature", "float", "0 is greedy; unset: the model's choice, mostly greedy", low=0),
    _sampling(
        "top_k",
        "int",
        "only the k likeliest tokens; 0: off; unset: the model's, else 50 (off with continuous batching)",
        low=0,
        neutral=0,
    ),
    _sampling("top_p", "float", "only the likeliest tokens up to this mass", low=0, high=1, neutral=1.0),
    _sampling(
        "min_p",
        "float",
        "only tokens at least so likely against the best",
        low=0,
        high=1,
        neutral=0.0,
    ),
    _sampling("typical_p", "float", "locally typical sampling, above 0; 1: off", low=0, high=1, neutral=1.0),
    _sampling(
        "epsilon_cutoff", "float", "only tokens at least so likely; 0: off", low=0, high=1, neutral=0.0
    ),
    _sampling("eta_cutoff", "float", "epsilon_cutoff by the entropy; 0: off", low=0, high=1, neutral=0.0),
    _sampling("top_h", "float", "only tokens up to this share of the entropy, above 0", low=0, high=1),
    _sampling(
        "repetition_penalty",
        "float",
        "penalty on tokens that occurred, above 0; not with continuous batching",
        low=0,
        neutral=1.0,
    ),
    _sampling(
        "no_repeat_ngram_size", "int", "runs of so many tokens occur only once; 0: off", low=0, neutral=0
    ),
    _sampling(
        "seed", "int", "repeats an answer only while it is the only one computed", low=0, high=2**31 - 1
    ),
)
_PARAMETERS = by_full_name((*_ENGINE, *_SAMPLING))


def _canonical(configuration: Configuration) -> Configuration:
    return canonical(configuration, _PARAMETERS)


def _conflicts(configuration: Configuration) -> tuple[str, ...]:
    return conflicts(configuration, _PARAMETERS)


TRANSFORMERS = EngineDeclaration(
    name="transformers",
    summary="`transformers serve`: models of the Hugging Face hub on GPUs and CPUs, quantised on the fly",
    needs_model_file=False,
    parameters=_PARAMETERS,
    canonical=_canonical,
    conflicts=_conflicts,
    freezes_sampling=freezes_sampling,
)
