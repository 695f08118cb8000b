"""What each layer of a model does with a sequence, in one word a layer, from config.json.

Sources: the configuration classes of transformers 5.23 (which fill in what a file leaves out) and of the
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
_USUAL_CHUNK_INTERVAL = 4
# Each of their layers attends twice.
_ATTENTIONS_A_LAYER: Mapping[str, int] = {"longcat_flash": 2}
# How the types of layers are called that a class gives in no order that is known here.
_IRREGULAR = "irregular"
_SAYING_WHICH_HAVE_WINDOWS = (
    "use_sliding_window", "sliding_window_pattern", "_sliding_window_pattern", "max_window_layers",
    "global_attn_every_n_layers", "per_layer_config",
)  # fmt: skip
# Lists with a name for each layer that say nothing of what layers keep: by their names, and by those in them.
_LISTS_OF_OTHER_THINGS = ("architectures", "mlp_layer_types", "indexer_types", "attention_layers")
_OF_OTHER_PARTS = frozenset({"dense", "sparse", "moe", "mlp", "full", "shared"})
# Their window is off unless it is switched on.
_WINDOW_IS_ASKED_FOR = ("qwen2", "qwen3", "smollm3", "dots1")
# Their configurations name which layers attend; one that does not is no configuration of theirs.
_BLOCKS_WITHOUT_NAMES = ("recurrent_gemma", "jamba", "bamba", "zamba", "zamba2")
# Their attention is beside a state, in layers that a period alone does not say.
_ATTENDING_BESIDE_STATES = ("zamba", "zamba2")
# What these do with a sequence is neither attention with a cache nor a state whose size is known here.
_OTHER_MIXING = frozenset({
    "rwkv", "rwkv5", "rwkv6", "rwkv7", "xlstm", "retnet", "reformer", "xlnet", "xlm", "blt", "stripedhyena",
    "openai-gpt",
})  # fmt: skip
_ENCODERS_AND_DECODERS = frozenset({
    "t5", "mt5", "umt5", "longt5", "t5gemma", "switch_transformers", "bart", "mbart", "plbart", "led",
    "pegasus", "pegasus_x", "bigbird_pegasus", "marian", "m2m_100", "nllb-moe", "blenderbot-small",
    "blenderbot", "mvp", "prophetnet", "whisper", "moonshine", "speech_to_text", "seamless_m4t",
    "seamless_m4t_v2", "trocr", "mllama", "mllama_text_model",
})  # fmt: skip
_ENCODERS = frozenset({
    "bert", "roberta", "xlm-roberta", "xlm-roberta-xl", "roberta-prelayernorm", "camembert", "distilbert",
    "albert", "mobilebert", "megatron-bert", "rembert", "roc_bert", "modernbert", "nomic_bert", "deberta",
    "deberta-v2", "electra", "ernie", "mpnet", "big_bird", "roformer", "xmod", "data2vec-text",
    "bert-generation",
})  # fmt: skip
# From which layer each takes keys and values; its own number: it keeps them itself.
_SOURCES = "kv_source_layers"
# Keys of layouts that are not understood: several layers share what one keeps, or keep it compressed.
_NOT_UNDERSTOOD = ("compress_ratios", "mb_per_layer", "mamba_step", "cross_attention_layers", "rswa_window")


def layer_words(config: ModelConfig) -> list[Word]:
    """Return one word for each layer, of those that keep something of their own; raises LayoutUnknown."""
    for key in _NOT_UNDERSTOOD:
        if config.values.get(key):
            raise LayoutUnknown(f"its configuration has {key}, whose layout is not understood")
    _require_decoder(config)
    if config.layers_differ_in("skip", "attention_chunk_size", "layer_types"):
        raise LayoutUnknown("some of its layers are of kinds of their own, which are not understood")
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
    if sources := config.listed(_SOURCES):
        if len(sources) < len(words):
            raise LayoutUnknown(f"its {_SOURCES} has {len(sources)} entries for {len(words)} layers")
        words = [
            word if source == index else Word.NOTHING
            for index, (word, source) in enumerate(zip(words, sources, strict=False))
        ]
    every = config.first("cla_share_factor") if config.values.get("use_cla") is True else 0
    if every:
        words = [word if index % every == 0 else Word.NOTHING for index, word in enumerate(words)]
    return words


def _count(config: ModelConfig) -> int:
    # `num_layers` are whole layers, `num_hidden_layers` the attentions in them.
    whole_layers = "num_hidden_layers" not in config.values
    times = _ATTENTIONS_A_LAYER.get(config.model_type, 1) if whole_layers else 1
    if config.model_type == "hrm_text" and not config.first("num_layers_per_stack"):
        # Two stacks of so many layers are passed through several times, and each pass caches.
        times = (config.first("H_cycles") or 2) * ((config.first("L_cycles") or 3) + 1)
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
    if (beside := config.listed("hybrid_layer_ids")) is not None:  # Zamba
        return [Word.FULL_AND_STATE if index in beside else Word.STATE for index in range(count)]
    return None


def _others_keep_state(count: int, attending: set[int]) -> list[Word]:
    return [Word.FULL if index in attending else Word.STATE for index in range(count)]


def _periodic(config: ModelConfig) -> list[Word] | None:
    """Read that each so many-th layer attends to everything."""
    count = _count(config)
    period = 0 if config.model_type in _ATTENDING_BESIDE_STATES else config.first("attn_layer_period")
    if period and config.value("attn_layer_offset") is not None:
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
    return Word.STATE, config.first("full_attention_interval", "layer_group_size")


def _of_window(word: Word, config: ModelConfig) -> Word:
    return Word.WINDOWED if word is Word.FULL and config.number("window") else word


def _unread(config: ModelConfig) -> list[Word] | None:
    """Refuse a list with a name for each layer that no reader knows, rather than pass over it."""
    count = _count(config)
    for key, value in config.values.items():
        if not isinstance(value, list) or len(value) != count or key in _LISTS_OF_OTHER_THINGS:
            continue
        names = {each for each in value if isinstance(each, str)}
        if names and len(names) < count and not names <= _OF_OTHER_PARTS:
            raise LayoutUnknown(f"its {key[:_LONGEST_WORD]} is not understood")
    return None


def _of_class(config: ModelConfig) -> list[Word] | None:
    """Return what the class gives the layers of a configuration that says nothing of them."""
    named = config.defaults
    types = str(named.get("layer_types") or named.get("layer_types_from_end") or "")
    if not types or any(config.values.get(key) is not None for key in _SAYING_WHICH_HAVE_WINDOWS):
        return None
    if types == _IRREGULAR:
        raise LayoutUnknown("its configuration does not say of what kinds its layers are")
    count, words = _count(config), [_word(each) for each in types.split(",")]
    found = [words[index % len(words)] for index in range(min(count, _MOST_LAYERS + 1))]
    if "layer_types_from_end" in named:
        found.reverse()
    if found and (last := named.get("last_layer_type")):
        found[-1] = _word(str(last))
    return found


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
    if config.layers_differ_in("sliding_window"):
        found = (config.of_layer(index).number("window") for index in range(count))
        return [Word.WINDOWED if window else Word.FULL for window in found]
    if isinstance(config.values.get("sliding_window"), list):
        raise LayoutUnknown("its sliding_window is a list")
    asked = config.values.get("use_sliding_window")
    if asked is None:
        asked = not config.model_type.startswith(_WINDOW_IS_ASKED_FOR)
    if not config.number("window") or asked is False:
        return [Word.FULL] * count
    sees_all = _seeing_all(config)
    return [Word.FULL if sees_all(index) else Word.WINDOWED for index in range(count)]


def _seeing_all(config: ModelConfig) -> Callable[[int], bool]:
    """Return what says of a layer of a model with windows, by its number from 0, that it has none."""
    pattern = config.values.get("sliding_window_pattern", config.values.get("_sliding_window_pattern"))
    if isinstance(pattern, str) and pattern and set(pattern) <= {"L", "G"}:
        return lambda index: pattern[index % len(pattern)] == "G"
    if every := config.first("global_attn_every_n_layers"):
        return lambda index: index % every == 0
    if period := whole(pattern):
        return lambda index: (index + 1) % period == 0
    first = config.values.get("max_window_layers")
    if isinstance(first, int) and not isinstance(first, bool):
        return lambda index: index < first
    return lambda _index: False


_READERS: tuple[Callable[[ModelConfig], list[Word] | None], ...] = (
    _listed, _unreadable, _lettered, _numbered, _indexed, _periodic, _unread, _of_class,
    _without_list,
)  # fmt: skip
