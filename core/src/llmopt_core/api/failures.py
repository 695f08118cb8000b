"""What every class of errors means and what to do about it.

A `match` that ends in `assert_never`: mypy reports a class without a case. A trial's own failure has a
suggestion with the trial's numbers; this is the general one, for the reference and for conditions.
"""

from typing import assert_never

from llmopt_core.errors.classes import ErrorClass


def failure_advice(error_class: ErrorClass) -> tuple[str, str]:  # noqa: C901, PLR0911, PLR0912 - a table that mypy checks
    """Return what `error_class` means, and what to do."""
    match error_class:
        case ErrorClass.GPU_OUT_OF_MEMORY:
            return "The engine needs more GPU memory than there is.", (
                "use a smaller model, a shorter context or a quantization, or a larger GPU"
            )
        case ErrorClass.HOST_OUT_OF_MEMORY:
            return "The engine or its runner needs more memory than the machine or the container has.", (
                "raise spec.runners.resources.limits.memory, or search smaller configurations"
            )
        case ErrorClass.MEMORY_BUSY:
            return "Other programs hold the memory that the engine needs.", (
                "end the programs that the message names, or use a machine without other programs"
            )
        case ErrorClass.KV_CACHE_TOO_SMALL:
            return "The memory beside the weights is too small for the KV cache of one request.", (
                "shorten the context length, or lower the number of parallel requests"
            )
        case ErrorClass.MODEL_NOT_FOUND:
            return "The model does not exist where spec.model.source says.", "correct spec.model.source"
        case ErrorClass.MODEL_CORRUPT:
            return "A file of the model is damaged or incomplete.", "download the model again"
        case ErrorClass.ACCESS_DENIED:
            return "The model or a server refuses access.", (
                "accept the model's license and give a token in spec.model.tokenSecretRef, or correct the key"
            )
        case ErrorClass.INVALID_CONFIGURATION:
            return "The engine refuses the configuration.", "correct the parameter that the message names"
        case ErrorClass.ENGINE_NOT_INSTALLED:
            return "The engine is not installed where the runner runs.", (
                "use an image that holds the engine, or install the extra that the message names"
            )
        case ErrorClass.ENGINE_CRASHED:
            return "The engine ended by itself.", "see the engine's log; report it to the engine's project"
        case ErrorClass.ENGINE_START_TIMEOUT:
            return "The engine did not answer within spec.engine.startTimeout.", (
                "raise spec.engine.startTimeout; a model may have to be downloaded first"
            )
        case ErrorClass.CUDA_FAULT:
            return (
                "The GPU or its driver reported a fault.",
                "see `nvidia-smi` and the kernel's log on the node",
            )
        case ErrorClass.PORT_BUSY:
            return "The engine's port was taken by another program.", "nothing: another port is tried"
        case ErrorClass.DISK_FULL:
            return "A disk is full.", "free space on the disk that the message names"
        case ErrorClass.DATASET_INVALID:
            return "The data set cannot be read, or lacks a column.", "correct spec.workload.dataset"
        case ErrorClass.STORAGE_UNAVAILABLE:
            return "The namespace's database does not answer.", (
                "it continues once the database answers; its address is in the Secret llmopt-storage"
            )
        case ErrorClass.PREEMPTED:
            return "The runner was stopped while a trial ran.", "nothing: the trial is measured again"
        case ErrorClass.RUNNER_LOST:
            return "A runner ended by itself, or was killed, while a trial ran.", (
                "see the runner's log; the trial is measured again"
            )
        case ErrorClass.TRIAL_TIMEOUT:
            return "A trial took longer than spec.budget.trialTimeout.", (
                "raise spec.budget.trialTimeout, or lower the load"
            )
        case ErrorClass.ENDPOINT_UNREACHABLE:
            return "No server with the model answers at the address of the endpoint.", (
                "start that server, or correct spec.engine.endpoint; the study continues where it ended"
            )
        case ErrorClass.REQUESTS_FAILED:
            return "Too many requests of a trial failed.", "see the engine's log for their cause"
        case ErrorClass.MEASUREMENT_INVALID:
            return "A measurement was invalid twice.", "the message names what made it invalid"
        case ErrorClass.NO_GOOD_ANSWERS:
            return "No answer of a trial was good, so the cost of a good answer is not defined.", (
                "raise spec.workload.dataset.samples, or use good_answers_per_second, which is 0 there"
            )
        case ErrorClass.UNKNOWN:
            return "The failure matches no known class.", "see the engine's log and the message"
        case _:
            assert_never(error_class)
