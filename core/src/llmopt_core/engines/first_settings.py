"""What suits a machine to begin with, as data: each engine says it for itself. Pure."""

from dataclasses import dataclass

PLENTY_MIB = 16_000  # a 16 GiB card reports a little less than 16,384 MiB
SOME_MIB = 8_000
# Small, and its heads can be shared by 2, 4 or 8 GPUs.
GPU_MODEL = "hf://Qwen/Qwen3-0.6B"


@dataclass(frozen=True)
class Machine:
    """What is here: total memory of the host and of each GPU, engines, and the model in a package."""

    cores: int
    memory_mib: float
    gpus_mib: tuple[float, ...] = ()
    installed: frozenset[str] = frozenset()
    packaged_model: bool = True


@dataclass(frozen=True)
class Argument:
    """One fixed parameter of an engine, as a manifest writes it, and why it has that value."""

    name: str
    value: str
    why: str


@dataclass(frozen=True)
class FirstSettings:
    """What a first manifest says.

    `notes` are sentences for its reader; with `remote_code` the engine runs code that comes with the model.
    """

    engine: str
    model: str
    arguments: tuple[Argument, ...]
    concurrency: int
    notes: tuple[str, ...] = ()
    remote_code: bool = False


def shared_by_gpus(engine: str, machine: Machine, size: str, length: str) -> FirstSettings | None:
    """Return the settings of an engine whose layers GPUs can share; None: the machine has not enough of them.

    `size` and `length` are its parameters for the GPUs that share each layer, and for the longest context.
    """
    gpus = len(machine.gpus_mib)
    if not gpus or (gpus == 1 and machine.gpus_mib[0] < PLENTY_MIB):
        return None
    parallel = 1 << (gpus.bit_length() - 1)
    shared = Argument(size, str(parallel), "GPUs that share each layer; divides its heads")
    context = Argument(length, "4096", "tokens of prompt and answer; lower leaves more memory")
    note = f"{gpus} GPUs are here, and tensor parallelism takes a power of two" if parallel != gpus else ""
    arguments = (context, shared) if gpus > 1 else (context,)
    return FirstSettings(engine, GPU_MODEL, arguments, 32, (note,) if note else ())
