"""What each layer of a model does with a sequence, in one word a layer, from config.json.

Sources: the configuration classes of transformers 5.19 (which fill in what a file leaves out) and of the
models' own code where those have none.
"""

from collections.abc import Callable, Mapping
from enum import Enum

from llmopt_core.errors.classes import LlmoptError
from llmopt_runner.models.model_configs import ModelConfig, whole

_LONGEST_WORD = 40
_MOST_LAYERS = 10_000


class LayoutUnknown(LlmoptError):
    """A model keeps of a sequence what is not understood here; the message says what."""


class Word(Enum):
    """What one layer does with a sequence."""

    FULL = "full"
    WINDOWED = "windowed"
    CHUNKED = "chunked"
    STATE = "state"
    NOTHING = "nothing"
    FULL_AND_STATE = "full and state"
    WINDOWED_AND_STATE = "windowed and state"


_NAMED: Mapping[str, Word] = {
    **dict.fromkeys(
        (
            "full_attention", "attention", "full", "global", "global_attention", "softmax_attention",
            # What an index leaves out is not computed with, but is cached.
            "indexed_attention", "deepseek_sparse_attention", "qwen_sparse_attention", "sparse_attention",
            "minimax_m3_sparse",
        ),
        Word.FULL,
    ),
    **dict.fromkeys(
        (
            "sliding_attention", "sliding_window_attention", "sliding_window", "sliding", "swa", "local",
            "local_attention",
        ),
        Word.WINDOWED,
    ),
    "chunked_attention": Word.CHUNKED,
    **dict.fromkeys(
        (
            "linear_attention", "lightning_attention", "linear", "mamba", "mamba1", "mamba2", "recurrent",
            "conv", "short_conv", "gated_delta_net", "gdn", "kda",
        ),
        Word.STATE,
    ),
    **dict.fromkeys(("moe", "mlp", "dense", "sparse", "ffn"), Word.NOTHING),
    "hybrid": Word.FULL_AND_STATE,
    "hybrid_sliding": Word.WINDOWED_AND_STATE,
}  # fmt: skip
_LETTERS: Mapping[str, Word] = {
    "M": Word.STATE, "*": Word.FULL, "E": Word.NOTHING, "-": Word.NOTHING,
}  # fmt: skip
# One layer of so many sees everything, where the configuration does not say it: the classes' own default.
_USUAL_PATTERN: Mapping[str, int] = {
    "gemma2": 2, "gemma3": 6, "gemma3_text": 6, "gemma3n": 5, "gemma3n_text": 5, "gemma4": 6,
    "gemma4_text": 6, "cohere2": 4, "gpt_oss": 2, "exaone4": 4, "olmo3": 4, "afmoe": 4,
}  # fmt: skip
_USUAL_INTERVAL: Mapping[str, int] = {
    "qwen3_next": 4, "qwen3_5": 4, "qwen3_5_text": 4, "qwen3_5_moe": 4, "qwen3_5_moe_text": 4,
    "olmo_hybrid": 4,
}  # fmt: skip
_USUAL_CHUNK_INTERVAL = 4
# Each of their layers attends twice.
_ATTENTIONS_A_LAYER: Mapping[str, int] = {"longcat_flash": 2}
# Their window is off unless it is switched on.
_WINDOW_IS_ASKED_FOR = ("qwen2", "qwen3", "smollm3", "dots1")
# Their configurations name which layers attend; one that does not is no configuration of theirs.
_BLOCKS_WITHOUT_NAMES = ("recurrent_gemma", "jamba", "bamba", "zamba", "zamba2")
# What these do with a sequence is neither attention with a cache nor a state whose size is known here.
_OTHER_MIXING = frozenset({
    "rwkv", "rwkv5", "rwkv6", "rwkv7", "xlstm", "retnet", "reformer", "xlnet", "blt", "stripedhyena",
})  # fmt: skip
_ENCODERS_AND_DECODERS = frozenset({
    "t5", "mt5", "umt5", "longt5", "t5gemma", "switch_transformers", "bart", "mbart", "plbart", "led",
    "pegasus", "pegasus_x", "bigbird_pegasus", "marian", "m2m_100", "nllb-moe", "blenderbot-small",
    "blenderbot", "mvp", "prophetnet", "whisper", "moonshine", "speech_to_text", "seamless_m4t",
    "seamless_m4t_v2", "trocr",
})  # fmt: skip
_ENCODERS = frozenset({
    "bert", "roberta", "xlm-roberta", "xlm-roberta-xl", "roberta-prelayernorm", "camembert", "distilbert",
    "albert", "mobilebert", "megatron-bert", "rembert", "roc_bert", "modernbert", "nomic_bert", "deberta",
    "deberta-v2", "electra", "ernie", "mpnet", "big_bird", "roformer", "xmod", "data2vec-text",
})  # fmt: skip
# Keys of layouts that are not understood: several layers share what one keeps, or keep it compressed.
_NOT_UNDERSTOOD = ("compress_ratios", "mb_per_layer", "mamba_step", "cross_attention_layers", "rswa_window")


def layer_words(config: ModelConfig) -> list[Word]:
    """Return one word for each layer, of those that keep something of their own; raises LayoutUnknown."""
    for key in _NOT_UNDERSTOOD:
        if config.values.get(key):
            raise LayoutUnknown(f"its configuration has {key}, whose layout is not understood")
    _require_decoder(config)
    found = next((words for read in _READERS if (words := read(config)) is not None), None)
    if not found:
        raise LayoutUnknown("its configuration does not say how many layers it has")
    if len(found) > _MOST_LAYERS:
        raise LayoutUnknown(f"its configuration names {len(found)} layers")
    return _own(config, found)


def _require_decoder(config: ModelConfig) -> None:
    """Raise LayoutUnknown for a model that is more, or less, than a decoder."""
    kind = config.model_type
    if config.values.get("is_encoder_decoder") is True or kind in _ENCODERS_AND_DECODERS:
        raise LayoutUnknown("it has an encoder and a decoder, whose caches are not understood")
    if kind in _ENCODERS and config.values.get("is_decoder") is not True:
        raise LayoutUnknown("it is an encoder, which keeps nothing of a sequence and writes no answers")
    if kind in _OTHER_MIXING:
        raise LayoutUnknown(f"what models of the type {kind} keep of a sequence is not understood")


def _own(config: ModelConfig, words: list[Word]) -> list[Word]:
    """Return `words` without the layers that read what an earlier one keeps."""
    if shared := config.first("num_kv_shared_layers"):
        if shared >= len(words):
            raise LayoutUnknown(f"num_kv_shared_layers {shared} leaves none of its {len(words)} layers")
        words = words[: len(words) - shared]
    every = config.first("cla_share_factor") if config.values.get("use_cla") is True else 0
    if every:
        words = [word if index % every == 0 else Word.NOTHING for index, word in enumerate(words)]
    return words


def _count(config: ModelConfig) -> int:
    # `num_layers` are whole layers, `num_hidden_layers` the attentions in them.
    whole_layers = "num_hidden_layers" not in config.values
    times = _ATTENTIONS_A_LAYER.get(config.model_type, 1) if whole_layers else 1
    return min(times * config.number("layers"), _MOST_LAYERS + 1)


def _listed(config: ModelConfig) -> list[Word] | None:
    """Read a list with a word for each layer."""
    named = next(
        (
            found
            for key in ("layer_types", "layers_block_type", "hybrid_override_pattern", "hybrid_layer_pattern")
            if (found := config.listed(key)) and all(isinstance(each, str) for each in found)
        ),
        None,
    )
    if named is None:
        return None
    words = [_word(each) for each in named]
    count = _count(config)
    if count > len(words) and not config.listed("layers_block_type"):
        raise LayoutUnknown(f"its {count} layers have {len(words)} layer types")
    # A longer list goes on with layers that only draft.
    return words[:count] if count else words


def _word(name: str) -> Word:
    known = _NAMED.get(name) or _LETTERS.get(name)
    if known is None:
        raise LayoutUnknown(f"layers of type {name[:_LONGEST_WORD]!r} are not understood")
    return known


def _unreadable(config: ModelConfig) -> list[Word] | None:
    """Refuse a list of layer types that is none, rather than pass over it."""
    for key in ("layer_types", "layers_block_type"):
        if (found := config.values.get(key)) is not None and found != []:
            raise LayoutUnknown(f"its {key} is no list of names")
    return None


def _lettered(config: ModelConfig) -> list[Word] | None:
    """Read a string with a letter for each layer (Nemotron-H)."""
    pattern = config.values.get("hybrid_override_pattern")
    if not isinstance(pattern, str) or not pattern:
        return None
    return [_word(letter) for letter in pattern.replace("|", "")[: _MOST_LAYERS + 1]]


def _numbered(config: ModelConfig) -> list[Word] | None:
    """Read lists of numbers, one a layer: which layers are windowed (MiMo-V2), which attend (MiniMax)."""
    for key, words in (
        ("hybrid_layer_pattern", (Word.FULL, Word.WINDOWED)),
        ("attn_type_list", (Word.STATE, Word.FULL)),
        ("no_rope_layers", (Word.FULL, Word.CHUNKED if config.first("attention_chunk_size") else Word.FULL)),
    ):
        numbers = config.listed(key)
        if numbers and all(type(each) is int and each in {0, 1} for each in numbers):
            return [words[each] for each in numbers]
    return None


def _indexed(config: ModelConfig) -> list[Word] | None:
    """Read which layers attend, by number; all others keep a state."""
    count = _count(config)
    linear = config.part("linear_attn_config")
    from_one = linear.get("full_attn_layers")
    if isinstance(from_one, list) and linear.get("kda_layers"):
        return _others_keep_state(count, {whole(each) - 1 for each in from_one})
    for key in ("attn_layer_indices", "full_attn_idxs"):
        if (found := config.listed(key)) is not None:
            return _others_keep_state(count, {each for each in found if isinstance(each, int)})
    return None


def _others_keep_state(count: int, attending: set[int]) -> list[Word]:
    return [Word.FULL if index in attending else Word.STATE for index in range(count)]


def _periodic(config: ModelConfig) -> list[Word] | None:
    """Read that each so many-th layer attends to everything."""
    count = _count(config)
    if (period := config.first("attn_layer_period")) and "attn_layer_offset" in config.values:
        offset = config.first("attn_layer_offset")
        return _others_keep_state(count, {index for index in range(count) if index % period == offset})
    if blocks := config.listed("block_types") or config.listed("_block_types"):
        return [_of_window(_word(str(blocks[index % len(blocks)])), config) for index in range(count)]
    others, every = _interval(config)
    return [others if (index + 1) % every else Word.FULL for index in range(count)] if every else None


def _interval(config: ModelConfig) -> tuple[Word, int]:
    """Return after how many layers one attends to everything, and what the others do; 0: no such layers."""
    if config.first("attention_chunk_size"):
        return Word.CHUNKED, config.first("no_rope_layer_interval") or _USUAL_CHUNK_INTERVAL
    interval = config.first("full_attention_interval", "layer_group_size")
    return Word.STATE, interval or _USUAL_INTERVAL.get(config.model_type, 0)


def _of_window(word: Word, config: ModelConfig) -> Word:
    return Word.WINDOWED if word is Word.FULL and config.number("window") else word


def _without_list(config: ModelConfig) -> list[Word] | None:
    """Read models whose layers are all of one kind, but for windows."""
    count = _count(config)
    if _is_pure_state(config):
        return [Word.STATE] * count
    if config.model_type in _BLOCKS_WITHOUT_NAMES:
        raise LayoutUnknown("its configuration does not say which of its layers attend")
    if "mamba_d_ssm" in config.values:  # Falcon-H1: attention and a state side by side in each layer
        return [Word.FULL_AND_STATE] * count
    if any(key.startswith(("mamba_", "ssm_")) for key in config.values):
        raise LayoutUnknown("it has layers with a state, and its configuration does not say which")
    return _windowed(config, count)


def _is_pure_state(config: ModelConfig) -> bool:
    return bool(config.first("state_size")) and not config.first("num_attention_heads", "n_head")


def _windowed(config: ModelConfig, count: int) -> list[Word]:
    window = config.values.get("sliding_window")
    if isinstance(window, list):
        raise LayoutUnknown("its sliding_window is a list")
    asked = config.values.get("use_sliding_window")
    if asked is None:
        asked = not config.model_type.startswith(_WINDOW_IS_ASKED_FOR)
    if not config.number("window") or asked is False:
        return [Word.FULL] * count
    pattern = config.values.get("sliding_window_pattern", config.values.get("_sliding_window_pattern"))
    if isinstance(pattern, str) and pattern and set(pattern) <= {"L", "G"}:
        return [
            Word.WINDOWED if pattern[index % len(pattern)] == "L" else Word.FULL for index in range(count)
        ]
    every = (
        whole(pattern)
        or config.first("global_attn_every_n_layers")
        or _USUAL_PATTERN.get(config.model_type, 0)
    )
    if every:
        return [Word.WINDOWED if (index + 1) % every else Word.FULL for index in range(count)]
    first = config.values.get("max_window_layers")
    if isinstance(first, int) and not isinstance(first, bool):
        return [Word.FULL if index < first else Word.WINDOWED for index in range(count)]
    return [Word.WINDOWED] * count


_READERS: tuple[Callable[[ModelConfig], list[Word] | None], ...] = (
    _listed, _unreadable, _lettered, _numbered, _indexed, _periodic, _without_list,
)  # fmt: skip
