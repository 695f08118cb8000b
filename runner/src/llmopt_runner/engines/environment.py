"""What of the runner's environment an engine gets: what it needs to find its files and devices, no secret.

An engine runs code of others: its own, its libraries', a model's. A list of what is allowed, because nobody
knows all the secrets that may stand in an environment.
"""

import os
import re
import tempfile
from collections.abc import Mapping
from types import MappingProxyType

from llmopt_core.api.environment import Variable
from llmopt_runner.secrets import is_secret

_NAMES = frozenset({
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "HOSTNAME", "PWD", "TERM", "TMPDIR", "TZ", "LANG", "LANGUAGE",
    "LD_LIBRARY_PATH", "LD_PRELOAD", "LIBRARY_PATH", "CPATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH",
    "CC", "CXX", "VIRTUAL_ENV", "CONDA_PREFIX",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
    "DO_NOT_TRACK", "MAX_JOBS", "GPU_DEVICE_ORDINAL", Variable.SESSION,
})  # fmt: skip
_PREFIXES = (
    "LC_", "XDG_", "PYTHON", "MALLOC_", "CUDA", "NVIDIA_", "CUBLAS", "CUDNN", "NCCL_", "HIP", "ROCR_",
    "ROCM_", "HSA_", "RCCL_", "MIOPEN_", "AMD_", "ONEAPI_", "SYCL_", "ZE_", "CCL_", "VK_", "OMP_",
    "GOMP_", "KMP_", "MKL_", "DNNL_", "ONEDNN_", "OPENBLAS_", "BLIS_", "NUMEXPR_", "HF_", "HUGGINGFACE_",
    "TRANSFORMERS_", "TOKENIZERS_", "SAFETENSORS_", "TORCH", "PYTORCH_", "TRITON_", "BITSANDBYTES_", "BNB_",
)  # fmt: skip
# What engines compile with, and where each keeps it.
_COMPILERS = {"TORCHINDUCTOR_CACHE_DIR": "torchinductor", "TRITON_CACHE_DIR": "triton"}
_NO_CACHES: Mapping[str, str] = MappingProxyType({})
# Names that begin as an allowed one does, and yet hold secrets: HF_TOKEN, VLLM_API_KEY, …
_SECRET = re.compile(r"(?:^|_)(?:KEYS?|TOKENS?|SECRETS?|PASSWORDS?|PASSWD|CREDENTIALS?)(?:_|$)")


def engine_environment(
    own: Mapping[str, str],
    given: Mapping[str, str],
    *,
    mark: str,
    passed: tuple[str, ...] = (),
    caches: Mapping[str, str] = _NO_CACHES,
) -> dict[str, str]:
    """Return an engine's environment: what is allowed of `own`, then what the engine was `given` by name.

    `passed` are the beginnings of names that this engine is given beside what all are. `caches` are its own
    variables for what it compiled.

    The mark comes first. vLLM sets some variables anew, which moves them, and the library by which its
    processes name themselves looks for their arguments below the first variable: that one must stay.
    """
    asked = {name.strip() for name in own.get(Variable.ENGINE_VARIABLES, "").split(",")}
    allowed = {name: value for name, value in own.items() if _allowed(name, passed) or name in asked}
    return {
        Variable.ENGINE_MARK.value: mark,
        **{name: value for name, value in allowed.items() if not is_secret(name)},
        **_kept_places(own, caches),
        **given,
    }


def _allowed(name: str, passed: tuple[str, ...]) -> bool:
    plain = name.upper()
    if _SECRET.search(plain):
        return False
    return plain in _NAMES or plain.startswith((*_PREFIXES, *passed))


def _kept_places(own: Mapping[str, str], caches: Mapping[str, str]) -> dict[str, str]:
    """Where engines keep what they compiled: in the folder that $LLMOPT_COMPILE_CACHE names, for all of them.

    What lies in these caches is found by source, versions, device and settings, so that trials, runners and
    studies can share them. Without a folder each has its usual place; torch's would be among the temporary
    files of one start.
    """
    default = {"TORCHINDUCTOR_CACHE_DIR": f"{tempfile.gettempdir()}/torchinductor_{os.getuid()}"}
    if folder := own.get(Variable.COMPILE_CACHE):
        default = {name: f"{folder}/{place}" for name, place in {**_COMPILERS, **caches}.items()}
    return {name: own.get(name, place) for name, place in default.items()}
