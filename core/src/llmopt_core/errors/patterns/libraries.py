"""What the Python libraries below several engines say: torch, NCCL, transformers, imports."""

from llmopt_core.errors.classes import ErrorClass
from llmopt_core.errors.limits import LimitRule
from llmopt_core.errors.patterns.base import error, pattern, refusal

# Engines that split a model over GPUs share these words, and the name of the parameter.
PARALLEL = (
    pattern(
        "devices-do-not-divide-heads",
        ErrorClass.INVALID_CONFIGURATION,
        r"attention heads \((?P<heads>\d+)\) must be divisible by tensor parallel size \((?P<size>\d+)\)",
        "tensor_parallel_size ({size}) must divide the model's {heads} attention heads.",
        LimitRule("tensor_parallel_size", divides="heads", value="size"),
    ),
    pattern(
        "devices-do-not-divide-size",
        ErrorClass.INVALID_CONFIGURATION,
        r"AssertionError: (?P<whole>\d+) is not divisible by (?P<size>\d+)\s*$",
        "tensor_parallel_size ({tensor_parallel_size}) splits something of this model that has {whole} parts"
        " (heads, a vocabulary, a width) into {size}: take a divisor of {whole}.",
        LimitRule("tensor_parallel_size", divides="whole", value="size"),
    ),
    pattern(
        "devices-do-not-divide-experts",
        ErrorClass.INVALID_CONFIGURATION,
        r"n_physical_experts=(?P<experts>\d+) must be divisible by ep_size=(?P<size>\d+)",
        "The model's {experts} experts cannot be split over {size} GPUs: take a divisor of {experts} for"
        " tensor_parallel_size ({tensor_parallel_size}) times data parallelism.",
        LimitRule("tensor_parallel_size", divides="experts", value="size"),
    ),
    pattern(
        "parts-over-quantised-blocks",
        ErrorClass.INVALID_CONFIGURATION,
        r"(?:input|output|intermediate)_(?:partition_)?size\w*(?: of .*)? = (?P<part>\d+)"
        r" is not divisible\s+by\s+(?:weight(?: quantization)? )?"
        r"(?:block_[nk]|min_thread_[nk]|group_size) = (?P<block>\d+)",
        "tensor_parallel_size ({tensor_parallel_size}) splits the quantised weights into parts of {part},"
        " which is no multiple of their blocks of {block}: lower tensor_parallel_size.",
        LimitRule("tensor_parallel_size", part="part", block="block", other_lifts=("quantization",)),
    ),
)
# How GPUs reach each other; said beside general words of NCCL that name no cause.
COMMUNICATION = (
    pattern(
        "no-peer-access",
        ErrorClass.INVALID_CONFIGURATION,
        r"peer access is not supported between these two devices|nvmlDeviceGetP2PStatus\(.*failed",
        "The GPUs here cannot reach each other's memory: set NCCL_P2P_DISABLE=1 (and"
        " disable_custom_all_reduce"
        " where the engine has it), or use one GPU.",
    ),
    pattern(
        "one-gpu-twice",
        ErrorClass.INVALID_CONFIGURATION,
        r"Duplicate GPU detected",
        "Two parts of the engine were given the same GPU: give the runner as many GPUs as"
        " tensor_parallel_size"
        " ({tensor_parallel_size}) asks for, or lower it.",
    ),
    pattern(
        "no-network-interface",
        ErrorClass.INVALID_CONFIGURATION,
        r"no socket interface found|Unable to find address for: \S+",
        "NCCL or Gloo finds no network interface for its parts to meet: name one in NCCL_SOCKET_IFNAME and"
        " GLOO_SOCKET_IFNAME, or use one GPU.",
    ),
)
# What retrying does not change; most are only looked for in the first error of a log.
PATTERNS = (
    pattern(
        "kernels-not-loaded",
        ErrorClass.ENGINE_NOT_INSTALLED,
        r"\[sgl_kernel\] CRITICAL: Could not load any",
        "SGLang's kernels cannot be loaded here: install the sgl-kernel that was built for this GPU, this"
        " version of torch and its CUDA.",
    ),
    error(
        "package-missing",
        ErrorClass.ENGINE_NOT_INSTALLED,
        r"^(?:\w+\.)*ImportError: .*(?:not found in your environment|(?:not|to be) installed)"
        r"|^(?:\w+\.)*(?:\w*Error|Exception): .*(?:pip install|[Pp]lease install|(?<!\w)is not installed)"
        r"|Couldn't instantiate the backend tokenizer from one of",
        "The engine's environment lacks a package that this line names: install it there.",
    ),
    error(
        "packages-do-not-match",
        ErrorClass.ENGINE_NOT_INSTALLED,
        r"^(?:\w+\.)*ImportError: cannot import name '(?P<name>[\w.]{1,100})'"
        r"|Failed to import [\w.]+ because of"
        r"|numpy\.core\.multiarray failed to import|we now require users to upgrade torch"
        r"|Tokenizer class \S+ does not exist or is not currently imported"
        r"|is installed with version \S+, which is less than the minimum required version",
        "Packages of the engine's environment are of versions that do not go together: install those that the"
        " engine's release names.",
    ),
    error(
        "user-without-name",
        ErrorClass.ENGINE_NOT_INSTALLED,
        r"getpwuid\(\): uid not found: (?P<uid>\d+)",
        "The user {uid} has no name in the container and torch asks for it: set the environment variables"
        " USER"
        " and TORCHINDUCTOR_CACHE_DIR, or run it as a user that the image knows.",
    ),
    error(
        "not-implemented",
        ErrorClass.INVALID_CONFIGURATION,
        r"^NotImplementedError: ",
        "The engine has nothing for this combination of model, device and parameters: take it out of the"
        " search"
        " space, or install a newer engine.",
    ),
    error(
        "weights-do-not-fit",
        ErrorClass.MODEL_CORRUPT,
        r"weights were not initialized from checkpoint|Attempted to load weight .{1,200} into parameter"
        r"|size mismatch for [\w.]+:",
        "The weights are not those that this version of the engine expects for the architecture: fetch them"
        " again,"
        " or install the version that the model's page names.",
    ),
    error(
        "weights-unknown",
        ErrorClass.INVALID_CONFIGURATION,
        r"^KeyError: '(?:\w+\.)*layers\.\d+\.(?P<weight>[\w.]{1,120})'",
        "The engine has no place for the weight {weight}: this version does not read the model's files with"
        " this"
        " quantization ({quantization}).",
    ),
)
_CHANGE_IT = (
    "The engine refuses this configuration: change what its message names, or take it out of the search"
    " space."
)
# A line of a server may begin with the name of its process.
_PROCESS = r"(?:\(\w+[^)\n]{0,80}\) )?"
# What servers in Python say of a configuration that they do not take, in words that no pattern knows. They
# say the same again; errors of other kinds may pass.
REFUSALS = (
    refusal(
        "configuration-not-valid",
        rf"ValidationError: \d+ validation errors? for \w+Config\b.*\n(?:{_PROCESS}\w[\w.\[\]-]*\n)?"
        rf"{_PROCESS}\s+(?P<said>\S.*?)(?=(?: \[type=\w+,.*)?$)",
        _CHANGE_IT,
    ),
    refusal(
        "configuration-refused",
        r"\b(?:ValueError|AssertionError|NotImplementedError): (?P<said>\S.*)",
        _CHANGE_IT,
    ),
)
