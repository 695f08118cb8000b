"""What starts an engine says when it never runs: container runtimes, the shell, the kernel, drivers."""

from llmopt_core.errors.classes import ErrorClass
from llmopt_core.errors.patterns.base import pattern

PATTERNS = (
    pattern(
        "image-needs-newer-driver",
        ErrorClass.ENGINE_NOT_INSTALLED,
        r"unsatisfied condition: (?P<condition>[\w.<>=]+)",
        "The image needs a newer GPU driver than this machine has ({condition}): update the driver, or take"
        " an"
        " image for an older version of CUDA.",
    ),
    pattern(
        "no-container-toolkit",
        ErrorClass.ENGINE_NOT_INSTALLED,
        r"could not select device driver .*capabilities: \[\[gpu\]\]|unknown or invalid runtime name: nvidia"
        r"|unresolvable CDI devices",
        "Containers are given no GPUs here: install the NVIDIA Container Toolkit, run nvidia-ctk runtime"
        " configure"
        " and restart the container runtime.",
    ),
    pattern(
        "container-without-driver",
        ErrorClass.ENGINE_NOT_INSTALLED,
        r"nvidia-container-cli: (?:initialization|ldcache|detection) error|NVIDIA-SMI has failed"
        r"|nvml error: driver not loaded",
        "The GPU's driver is not installed or not loaded on this machine: install it, and check nvidia-smi"
        " outside"
        " of containers.",
    ),
    pattern(
        "container-lost-gpu",
        ErrorClass.ENGINE_NOT_INSTALLED,
        r"Failed to initialize NVML: Unknown Error",
        "The container has lost its GPU, as after a reload of systemd: start the container again, and let the"
        " runtime use CDI.",
    ),
    pattern(
        "gpu-not-permitted",
        ErrorClass.ACCESS_DENIED,
        r"/dev/(?:kfd|dri|nvidia)\S*\b.*(?:Permission denied|Operation not permitted)",
        "The engine's user may not use the GPU's device: give it to the container (--device /dev/kfd --device"
        " /dev/dri) and add the groups render and video.",
    ),
    pattern(
        "engine-not-found",
        ErrorClass.ENGINE_NOT_INSTALLED,
        r"executable file not found in \$PATH|(?:vllm|sglang|transformers|llama-server"
        r"|python3?): (?:command )?not"
        r" found",
        "The engine's program is not in this environment: install it, or name it in the settings of the"
        " engine.",
    ),
    pattern(
        "image-not-found",
        ErrorClass.ENGINE_NOT_INSTALLED,
        r"Failed to pull image|ErrImagePull|ImagePullBackOff|manifest (?:for \S+ not found|unknown)",
        "The image cannot be fetched: check its name and tag, and the pull secret.",
    ),
    pattern(
        "python-of-another-version",
        ErrorClass.ENGINE_NOT_INSTALLED,
        r"requires a different Python: (?P<version>[\d.]+)",
        "The engine is not made for Python {version}: install it with a version that it names.",
    ),
    pattern(
        "killed-for-memory",
        ErrorClass.HOST_OUT_OF_MEMORY,
        r"[Oo]ut of memory: Killed process|oom-kill:|killed by the OOM killer|result 'oom-kill'"
        r"|Memory cgroup out of memory|\bOOMKilled\b"
        r"|line \d+: +\d+ Killed\b|killed by signal: Killed",
        "The kernel killed the engine for memory: give it more, or take a smaller context or batch.",
    ),
    pattern(
        "too-many-processes",
        ErrorClass.ENGINE_CRASHED,
        r"can't start new thread|pthread_create failed|fork: Resource temporarily unavailable",
        "The limit on processes and threads is reached: raise it (ulimit -u, the container's limit on"
        " pids), or"
        " set OMP_NUM_THREADS.",
    ),
    pattern(
        "bus-error",
        ErrorClass.HOST_OUT_OF_MEMORY,
        r"[Bb]us error",
        "Shared memory ran out: give the container a larger /dev/shm (--ipc=host, --shm-size=8g or an"
        " emptyDir"
        " of medium Memory).",
    ),
    pattern(
        "program-for-another-processor",
        ErrorClass.ENGINE_NOT_INSTALLED,
        r"Illegal instruction|[Ee]xec format error",
        "The engine's program was built for another processor: install a build for this one.",
    ),
)
# What Kubernetes says of a container that it ended or cannot start: the server's own words are nearer to the
# cause.
EVENTS = (
    pattern(
        "probe-failed",
        ErrorClass.ENGINE_START_TIMEOUT,
        r"(?:[Ss]tartup|[Ll]iveness) probe failed|failed (?:startup|liveness) probe, will be restarted",
        "Kubernetes ended the server because it did not answer in time: give it a startupProbe that waits for"
        " the model (failureThreshold times periodSeconds), and a livenessProbe that is patient.",
    ),
    pattern(
        "no-node-with-gpus",
        ErrorClass.ENGINE_NOT_INSTALLED,
        r"Insufficient (?P<resource>[\w.-]+/[\w.-]*gpu\S*|nvidia\.com/[\w.-]+)",
        "No node has enough of {resource} left: ask for fewer GPUs, end what holds them, or check that the"
        " nodes' device plugin runs.",
    ),
    pattern(
        "volume-not-mounted",
        ErrorClass.MODEL_NOT_FOUND,
        r"MountVolume\.\w+ failed for volume|persistentvolumeclaim \S+ not found",
        "A volume of the container is not there: create the Secret, ConfigMap or claim that the line names.",
    ),
)
