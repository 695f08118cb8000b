"""What the machine below every engine says: memory, disk, libraries, ports, command lines."""

from llmopt_core.errors.classes import ErrorClass
from llmopt_core.errors.patterns.base import pattern

# These come before what an engine says of the same fault in its own words, or in none.
BUILD = pattern(
    ErrorClass.ENGINE_NOT_INSTALLED,
    r"no kernel image is available for execution on the device|HIP error: invalid device function"
    r"|provided PTX was compiled with an unsupported toolchain|hipErrorNoBinaryForGpu",
    "This build of the engine was not made for this GPU: install a build that supports it.",
)
COMPILERS = (
    pattern(
        ErrorClass.ENGINE_NOT_INSTALLED,
        r"Failed to find C compiler|gcc: command not found|Could not find C compiler",
        "The engine compiles kernels while it runs and its environment has no C compiler: install the package"
        " gcc (Debian: gcc and libc6-dev), or name a compiler in the environment variable CC.",
    ),
    pattern(
        ErrorClass.ENGINE_NOT_INSTALLED,
        r"Could not find nvcc|nvcc: (?:command )?not found|No such file or directory: '(?:\S*/)?nvcc'",
        "The engine compiles CUDA kernels when it starts and finds no nvcc: install its prebuilt kernels"
        " (FlashInfer: flashinfer-jit-cache and flashinfer-cubin), or the CUDA toolkit.",
    ),
    pattern(
        ErrorClass.ENGINE_NOT_INSTALLED,
        r"(?:g|c)\+\+: (?:command )?not found|Ninja is required to load C\+\+ extensions",
        "The engine compiles kernels when it starts and its environment has no C++ compiler or no ninja:"
        " install the packages g++ and ninja-build.",
    ),
    pattern(
        ErrorClass.ENGINE_NOT_INSTALLED,
        r"fatal error: Python\.h: No such file or directory",
        "The engine compiles kernels while it runs and its environment lacks Python's headers: install the"
        " package python3-dev.",
    ),
)
SHARED_MEMORY = pattern(
    ErrorClass.HOST_OUT_OF_MEMORY,
    r"Error while creating shared memory segment|failed to extend /dev/shm/nccl-",
    "GPUs of one engine exchange data through /dev/shm, which is too small: give the container a larger one"
    " (in Kubernetes an emptyDir with medium Memory, else --shm-size), or use one GPU.",
)
REMOTE_CODE = pattern(
    ErrorClass.ACCESS_DENIED,
    r"requires you to execute the configuration file in that repo|contains custom code which must be executed"
    r"|set the option .?trust_remote_code=True",
    "The model comes with code of its own that the engine may not run: read that code, then set"
    " spec.model.trustRemoteCode to true, or take another model.",
)
PATTERNS = (
    BUILD,
    *COMPILERS,
    SHARED_MEMORY,
    pattern(
        ErrorClass.GPU_OUT_OF_MEMORY,
        r"(?:CUDA|HIP|XPU) out of memory|(?:CUDA|HIP) error: out of memory",
        "Less fits on the GPU than this configuration asks for: take a smaller context, a smaller batch, or"
        " more strongly quantised weights.",
    ),
    pattern(
        ErrorClass.DISK_FULL,
        r"No space left on device|Errno 28",
        "Free space on the disk that holds the model cache and the results folder.",
    ),
    pattern(
        ErrorClass.HOST_OUT_OF_MEMORY,
        r"Cannot allocate memory",
        "The host has too little memory for this configuration: take a smaller context, or raise the limit.",
    ),
    pattern(
        ErrorClass.ENGINE_NOT_INSTALLED,
        r"(?P<library>lib[\w.+-]+\.so[\w.]*): cannot open shared object file",
        "The engine needs the system library {library}: install it (Debian has libgomp.so.1 in libgomp1).",
    ),
    pattern(
        ErrorClass.PORT_BUSY,
        r"[Aa]ddress already in use",
        "Another program took the port; the next start picks another one.",
    ),
    pattern(
        ErrorClass.INVALID_CONFIGURATION,
        r"unrecognized arguments|No such option",
        "The engine does not know an argument: its version differs from the one these parameters were"
        " declared for.",
    ),
)
