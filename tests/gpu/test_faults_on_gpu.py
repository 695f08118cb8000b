"""Real faults of CUDA and its libraries, by their own words: class, and what is done about it."""

import gpu_facts
import pytest

from llmopt_core.errors.classes import ErrorClass, RetryPolicy
from llmopt_core.errors.policies import POLICIES

_CLASSES = {
    "out of memory": {ErrorClass.GPU_OUT_OF_MEMORY},
    "device-side assert": {ErrorClass.CUDA_FAULT},
    "an illegal access": {ErrorClass.CUDA_FAULT},
    "no such device": {ErrorClass.INVALID_CONFIGURATION},
    "no device visible": {ErrorClass.ENGINE_NOT_INSTALLED, ErrorClass.INVALID_CONFIGURATION},
    "compile without a C compiler": {ErrorClass.ENGINE_NOT_INSTALLED},
    "missing flash attention": {ErrorClass.INVALID_CONFIGURATION},
}
# What fails again in the same way is not tried again.
_TRIED_AGAIN = {"device-side assert", "an illegal access"}


@pytest.fixture(scope="module")
def faults(python):
    before, gpu_facts.PYTHON = gpu_facts.PYTHON, str(python)
    yield gpu_facts.faults()
    gpu_facts.PYTHON = before


@pytest.mark.parametrize("name", gpu_facts.FAULTS)
def test_a_real_fault_has_its_class(faults, finding, name):
    """What the libraries write is classified as what it is."""
    found = ErrorClass(faults[name]["class"])
    finding({**faults[name], "policy": POLICIES[found]})
    assert faults[name]["exit"] != 0
    assert found in _CLASSES[name]
    assert (POLICIES[found] is RetryPolicy.RETRY) is (name in _TRIED_AGAIN)
