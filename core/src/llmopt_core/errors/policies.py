"""What a failure of each class means for its study."""

from collections.abc import Mapping

from llmopt_core.errors.classes import ErrorClass, RetryPolicy

POLICIES: Mapping[ErrorClass, RetryPolicy] = {
    ErrorClass.GPU_OUT_OF_MEMORY: RetryPolicy.INFEASIBLE,
    ErrorClass.HOST_OUT_OF_MEMORY: RetryPolicy.INFEASIBLE,
    ErrorClass.KV_CACHE_TOO_SMALL: RetryPolicy.INFEASIBLE,
    ErrorClass.INVALID_CONFIGURATION: RetryPolicy.INFEASIBLE,
    ErrorClass.MODEL_NOT_FOUND: RetryPolicy.FATAL,
    ErrorClass.MODEL_CORRUPT: RetryPolicy.FATAL,
    ErrorClass.ACCESS_DENIED: RetryPolicy.FATAL,
    ErrorClass.ENGINE_NOT_INSTALLED: RetryPolicy.FATAL,
    ErrorClass.DATASET_INVALID: RetryPolicy.FATAL,
    ErrorClass.DISK_FULL: RetryPolicy.FATAL,
    ErrorClass.STORAGE_UNAVAILABLE: RetryPolicy.RETRY,
    ErrorClass.PORT_BUSY: RetryPolicy.RETRY,
    ErrorClass.PREEMPTED: RetryPolicy.RETRY,
    ErrorClass.RUNNER_LOST: RetryPolicy.RETRY,
    ErrorClass.MEMORY_BUSY: RetryPolicy.RETRY,
    ErrorClass.ENGINE_CRASHED: RetryPolicy.RETRY,
    ErrorClass.ENGINE_START_TIMEOUT: RetryPolicy.RETRY,
    ErrorClass.CUDA_FAULT: RetryPolicy.RETRY,
    ErrorClass.ENDPOINT_UNREACHABLE: RetryPolicy.OUTAGE,
    ErrorClass.REQUESTS_FAILED: RetryPolicy.RETRY,
    ErrorClass.MEASUREMENT_INVALID: RetryPolicy.RETRY,
    ErrorClass.TRIAL_TIMEOUT: RetryPolicy.INFEASIBLE,
    ErrorClass.NO_GOOD_ANSWERS: RetryPolicy.INFEASIBLE,
    ErrorClass.UNKNOWN: RetryPolicy.RETRY,
}
