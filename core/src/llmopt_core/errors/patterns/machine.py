"""What the machine below every engine says: memory, disk, libraries, ports, command lines."""

from llmopt_core.errors.classes import ErrorClass
from llmopt_core.errors.patterns import containers, libraries
from llmopt_core.errors.patterns.base import error, pattern

OUT_OF_GPU_MEMORY = (
    r"(?:CUDA|HIP|XPU|NPU|MPS backend) out of memory|(?:CUDA|HIP)(?: runtime)? error: out of memory"
    r"|UR_RESULT_ERROR_OUT_OF_DEVICE_MEMORY"
)
# These come before what an engine says of the same fault in its own words, or in none.
BUILD = pattern(
    "build-for-another-gpu",
    ErrorClass.ENGINE_NOT_INSTALLED,
    r"no kernel image is available for execution on the device|HIP error: invalid device function"
    r"|provided PTX was compiled with an unsupported toolchain|hipErrorNoBinaryForGpu"
    r"|TensileLibrary\S* .*GPU arch|No supported CUDA architectures found",
    "This build of the engine was not made for this GPU: install a build that supports it.",
)
COMPILERS = (
    pattern(
        "no-c-compiler",
        ErrorClass.ENGINE_NOT_INSTALLED,
        r"Failed to find C compiler|gcc: command not found|Could not find C compiler",
        "The engine compiles kernels while it runs and its environment has no C compiler: install the package"
        " gcc (Debian: gcc and libc6-dev), or name a compiler in the environment variable CC.",
    ),
    pattern(
        "no-nvcc",
        ErrorClass.ENGINE_NOT_INSTALLED,
        r"Could not find nvcc|nvcc: (?:command )?not found|No such file or directory: '(?:\S*/)?nvcc'",
        "The engine compiles CUDA kernels when it starts and finds no nvcc: install its prebuilt kernels"
        " (FlashInfer: flashinfer-jit-cache and flashinfer-cubin), or the CUDA toolkit.",
    ),
    pattern(
        "no-cpp-compiler",
        ErrorClass.ENGINE_NOT_INSTALLED,
        r"(?:g|c)\+\+: (?:command )?not found|No such file or directory: '(?:\S*/)?ninja'"
        r"|Ninja is required to load C\+\+ extensions",
        "The engine compiles kernels when it starts and its environment has no C++ compiler or no ninja:"
        " install the packages g++ and ninja-build.",
    ),
    pattern(
        "compiler-older-than-gpu",
        ErrorClass.ENGINE_NOT_INSTALLED,
        r"ptxas fatal *: Value '(?P<type>sm_\w+)' is not defined"
        r"|Unsupported gpu architecture '(?P<kind>\w+)'",
        "The compiler of kernels does not know this GPU: install a newer CUDA toolkit and name its ptxas in"
        " TRITON_PTXAS_PATH, or a newer build of the engine.",
    ),
    pattern(
        "no-python-headers",
        ErrorClass.ENGINE_NOT_INSTALLED,
        r"fatal error: Python\.h: No such file or directory",
        "The engine compiles kernels while it runs and its environment lacks Python's headers: install the"
        " package python3-dev.",
    ),
)
SHARED_MEMORY = pattern(
    "shared-memory-too-small",
    ErrorClass.HOST_OUT_OF_MEMORY,
    r"Error while creating shared memory segment|failed to extend /dev/shm/nccl-",
    "GPUs of one engine exchange data through /dev/shm, which is too small: give the container a larger one"
    " (in Kubernetes an emptyDir with medium Memory, else --shm-size), or use one GPU.",
)
# A GPU or its driver that no configuration can use; said beside general words that speak of a passing fault.
GPUS = (
    pattern(
        "driver-not-reloaded",
        ErrorClass.ENGINE_NOT_INSTALLED,
        r"Driver/library version mismatch",
        "The GPU's driver was updated and the old one is still loaded: restart the machine.",
    ),
    pattern(
        "driver-too-old",
        ErrorClass.ENGINE_NOT_INSTALLED,
        r"CUDA driver version is insufficient for CUDA runtime version|forward compatibility was attempted"
        r"|NVIDIA driver on your system is too old"
        r"|unsupported display driver / cuda driver combination",
        "The GPU's driver is older than this build of the engine needs: update the driver, or install a build"
        " for its version of CUDA.",
    ),
    pattern(
        "gpu-fabric-not-ready",
        ErrorClass.ENGINE_NOT_INSTALLED,
        r"Error 802: system not yet initialized|CUDA error: system not yet initialized",
        "GPUs joined by NVSwitch need the fabric manager: start nvidia-fabricmanager of the driver's"
        " version.",
    ),
    pattern(
        "no-usable-gpu",
        ErrorClass.ENGINE_NOT_INSTALLED,
        r"no CUDA-capable device is detected|No (?:CUDA|HIP|XPU) GPUs are available"
        r"|Error: CUDA unknown error - this may"
        r"|Incompatible kernel and userspace|No device of requested type available"
        r"|Torch not compiled with CUDA enabled|NVMLError_LibraryNotFound",
        "The engine finds no GPU that it can use: check the driver (nvidia-smi, rocminfo),"
        " CUDA_VISIBLE_DEVICES"
        " and, in a container, that the GPU is given to it.",
    ),
    pattern(
        "gpu-named-by-uuid",
        ErrorClass.ENGINE_NOT_INSTALLED,
        r"invalid literal for int\(\) with base 10: '(?:MIG|GPU)-",
        "CUDA_VISIBLE_DEVICES names a GPU, or a part of one, by its UUID, which this version of the engine"
        " does not read: name it by its number (nvidia-smi -L), or install a newer version.",
    ),
    pattern(
        "gpu-taken",
        ErrorClass.MEMORY_BUSY,
        r"CUDA-capable device\(s\) is/are busy or unavailable",
        "Another program has this GPU for itself: end it, or set the GPU's compute mode from exclusive to"
        " default.",
    ),
    pattern(
        "gpu-library-out-of-memory",
        ErrorClass.GPU_OUT_OF_MEMORY,
        r"CU(?:BLAS|DNN)_STATUS_(?:ALLOC_FAILED|NOT_INITIALIZED)|Failed to CUDA calloc"
        r"|Cuda failure(?: \d+)? 'out of memory'",
        "The engine left a library of the GPU no memory: lower the share of memory that the engine takes, its"
        " context or its batch.",
    ),
    pattern(
        "graphs-not-possible",
        ErrorClass.INVALID_CONFIGURATION,
        r"operation (?:not permitted|failed due to a previous error) (?:when stream is|during) captur",
        "This model's kernels cannot be captured into CUDA graphs here: set enforce_eager (vLLM) or"
        " disable_cuda_graph (SGLang).",
    ),
    pattern(
        "no-such-gpu",
        ErrorClass.INVALID_CONFIGURATION,
        r"CUDA error: invalid device ordinal",
        "There are fewer GPUs here than the engine was set to use: lower its parallel sizes or take another"
        " device, or give the runner more GPUs.",
    ),
    pattern(
        "gpu-broken",
        ErrorClass.CUDA_FAULT,
        r"uncorrectable ECC error|GPU is lost|fallen off the bus|GPU_IS_LOST|NVRM: Xid",
        "This GPU does not work any more: look for Xid errors in the kernel's log, reset it or restart the"
        " machine, and take it out of service if it comes again.",
    ),
    pattern(
        "kernel-over-shared-memory",
        ErrorClass.INVALID_CONFIGURATION,
        r"OutOfResources: out of resource: shared memory, Required: (?P<need>\d+), Hardware limit:"
        r" (?P<has>\d+)",
        "A kernel needs {need} bytes of a GPU's shared memory and this one has {has}: take another attention"
        " backend, quantization or block_size.",
    ),
)
GPU_FAULT = pattern(
    "gpu-fault",
    ErrorClass.CUDA_FAULT,
    r"(?:CUDA|HIP) error: |NCCL error|Watchdog caught collective operation timeout|DeviceLost",
    "The GPU or its driver failed, not the configuration: if it comes again, look for Xid errors in the"
    " kernel's log and restart the GPU.",
)
FLASH_ATTENTION = pattern(
    "gpu-too-old-for-flash-attention",
    ErrorClass.INVALID_CONFIGURATION,
    r"FlashAttention only supports Ampere GPUs or newer|FlashAttention v\d Backend requires SM",
    "FlashAttention has no kernels for this GPU: take another attention backend.",
)
REMOTE_CODE = pattern(
    "remote-code-not-allowed",
    ErrorClass.ACCESS_DENIED,
    r"requires you to execute the configuration file in that repo|contains custom code which must be executed"
    r"|(?:set the option|pass the argument) .?trust_remote_code=True",
    "The model comes with code of its own that the engine may not run: read that code, then set"
    " spec.model.trustRemoteCode to true, or take another model.",
)
HUB_REFUSES = pattern(
    "hub-refuses-model",
    ErrorClass.ACCESS_DENIED,
    r"trying to access a gated repo|GatedRepoError|Cannot access gated repo|(?:401|403) Client Error"
    # llama.cpp
    r"|(?:GET|HEAD) failed(?: \(|, status: )40[13]\b|invalid http status code received: 40[13]\b",
    "The hub refuses the model: accept its terms there, and give a token in spec.model.tokenSecretRef.",
)
GPU_MEMORY = pattern(
    "gpu-out-of-memory",
    ErrorClass.GPU_OUT_OF_MEMORY,
    OUT_OF_GPU_MEMORY,
    "Less fits on the GPU than this configuration asks for: take a smaller context, a smaller batch, or"
    " more strongly quantised weights.",
)
HOST_MEMORY = pattern(
    "host-out-of-memory",
    ErrorClass.HOST_OUT_OF_MEMORY,
    r"(?<!bytes\): )Cannot allocate memory",  # but not llama.cpp's warning that it could not lock it
    "The host has too little memory for this configuration: take a smaller context, or raise the limit.",
)
PATTERNS = (
    BUILD,
    *COMPILERS,
    *GPUS,
    SHARED_MEMORY,
    HUB_REFUSES,
    GPU_MEMORY,
    pattern(
        "disk-full",
        ErrorClass.DISK_FULL,
        r"No space left on device|Errno 28|Disk quota exceeded",
        "Free space on the disk that holds the model cache and the results folder.",
    ),
    HOST_MEMORY,
    *containers.PATTERNS,
    pattern(
        "no-system-library",
        ErrorClass.ENGINE_NOT_INSTALLED,
        r"(?P<library>lib[\w.+-]+\.so[\w.]*): cannot open shared object file",
        "The engine needs the system library {library}: install it (Debian has libgomp.so.1 in libgomp1).",
    ),
    pattern(
        "port-busy",
        ErrorClass.PORT_BUSY,
        r"[Aa]ddress already in use",
        "Another program took the port; the next start picks another one.",
    ),
    pattern(
        "unknown-argument",
        ErrorClass.INVALID_CONFIGURATION,
        r"unrecognized arguments|No such option",
        "The engine does not know an argument: its version differs from the one these parameters were"
        " declared for.",
    ),
    pattern(
        "argument-refused",
        ErrorClass.INVALID_CONFIGURATION,
        # argparse, click, and llama.cpp's own parser.
        r"\berror: (?P<said>(?:argument \S.*: |(?:the following|one of the) arguments |ambiguous option).*)"
        r"|(?:^|Error: |│ )(?:Invalid value for|Missing option|Option) '"
        r"|error while handling (?:argument|environment variable) ",
        "The engine refuses an argument, or its value: take what the line names out of the search space.",
    ),
    error(
        "binaries-do-not-match",
        ErrorClass.ENGINE_NOT_INSTALLED,
        r"undefined symbol: (?P<symbol>\w{1,120})",
        "A part of the engine was built for another version of a library than is installed: install versions"
        " that were built for each other (missing: {symbol}).",
    ),
    pattern(
        "c-library-too-old",
        ErrorClass.ENGINE_NOT_INSTALLED,
        r"version `(?P<version>(?:GLIBC|GLIBCXX|CXXABI)_[\d.]+)' not found",
        "This build of the engine needs a newer C library ({version}): take a newer system or image, or a"
        " build"
        " for this one.",
    ),
    error(
        "packages-of-the-model",
        ErrorClass.ENGINE_NOT_INSTALLED,
        r"requires the following packages that were not found in your environment: (?P<packages>[\w, -]+)",
        "The model's own code needs Python packages that the engine's environment lacks: install {packages}.",
    ),
    error(
        "no-python-module",
        ErrorClass.ENGINE_NOT_INSTALLED,
        r"ModuleNotFoundError: No module named '(?P<module>[\w.]+)'",
        "The engine's environment lacks the Python module {module}: install the package that has it there.",
    ),
    error(
        "hub-not-reached",
        ErrorClass.MODEL_NOT_FOUND,
        r"(?:couldn't|[Cc]an't|[Uu]nable to) (?:connect to|reach) '?https://huggingface\.co"
        r"|(?:ConnectError|ConnectionError): \[Errno -[235]\]|ProxyError: "
        r"|Failed to resolve '[\w.-]*huggingface\.co'|host='huggingface\.co'.*(?:Max retries|timed out)",
        "The hub cannot be reached from here: download the model first, name a folder in spec.model.source,"
        " or"
        " let this machine connect (HTTPS_PROXY, HF_ENDPOINT).",
    ),
    error(
        "hub-limits-requests",
        ErrorClass.REQUESTS_FAILED,
        r"429 Client Error: Too Many Requests",
        "The hub answers no more requests for now: wait, or give a token in spec.model.tokenSecretRef.",
    ),
    error(
        "hub-fails",
        ErrorClass.REQUESTS_FAILED,
        r"5\d\d Server Error: .*(?:huggingface\.co|hf\.co)|CAS service error",
        "The hub fails for now: try again, and where it stays so, set HF_HUB_DISABLE_XET=1, which fetches"
        " files in the older way.",
    ),
    error(
        "file-not-permitted",
        ErrorClass.ACCESS_DENIED,
        r"PermissionError: \[Errno 13\]|\[Errno 30\] Read-only file system|^Error: .*: permission denied$",
        "The engine's user may not use that file: change its owner or mode, or the folder that the engine is"
        " given.",
    ),
    error(
        "too-many-open-files",
        ErrorClass.ENGINE_CRASHED,
        r"Too many open files",
        "Raise the limit on open files where the engine is started: ulimit -n 65536.",
    ),
    *libraries.PATTERNS,
    GPU_FAULT,
    *containers.EVENTS,
    *libraries.REFUSALS,
    # The shell's word for what was killed: whatever else the log says is nearer to the cause.
    pattern(
        "killed",
        ErrorClass.HOST_OUT_OF_MEMORY,
        r"^Killed\s*$|^\[\d+\][ +-]*(?:\d+ +)?[Kk]illed\b|exited with code 137\b",
        "The server was ended by SIGKILL. Unless somebody did that, the kernel did for memory (its log,"
        " dmesg, says so): give it more, or take a smaller context or batch.",
    ),
)
