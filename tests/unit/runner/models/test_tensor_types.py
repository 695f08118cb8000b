"""The types of tensors, whatever a file or an engine calls them."""

import pytest

from llmopt_core.engines.llamacpp.declaration import CACHE_TYPES
from llmopt_core.engines.transformers.declaration import DTYPES as TRANSFORMERS_DTYPES
from llmopt_core.engines.vllm.declaration import VLLM
from llmopt_runner.models.tensor_types import TensorType, gguf_type, named_type, safetensors_type

VLLM_DTYPES = VLLM.parameters["engine.dtype"].choices


@pytest.mark.parametrize(
    ("in_safetensors", "in_gguf", "names"),
    [
        ("BF16", 30, ("bfloat16", "bf16")),
        ("F16", 1, ("float16", "f16")),
        ("F32", 0, ("float32", "f32")),
        ("F64", 28, ("float64",)),
        ("I32", 26, ("int32",)),
        ("I8", 24, ("int8",)),
    ],
)
def test_every_spelling_of_a_type_is_the_same_type(in_safetensors, in_gguf, names):
    """A header of either format and the parameters of all engines meet in one value."""
    found = {safetensors_type(in_safetensors), gguf_type(in_gguf), *map(named_type, names)}
    assert len(found) == 1
    assert None not in found


@pytest.mark.parametrize("name", sorted({*CACHE_TYPES, *VLLM_DTYPES, *TRANSFORMERS_DTYPES} - {"auto"}))
def test_every_type_that_an_engine_can_be_given_is_known(name):
    """No choice of a parameter is without a size."""
    assert named_type(name).bytes_per_element > 0


def test_only_plain_floats_can_be_quantised_while_loading():
    """Whole numbers and small floats are what quantised checkpoints hold."""
    plain = {each for each in TensorType if each.is_plain_float}
    assert plain == {TensorType.FLOAT64, TensorType.FLOAT32, TensorType.FLOAT16, TensorType.BFLOAT16}


def test_a_type_that_came_later_is_unknown():
    """No name stands for a type that is not known."""
    assert (safetensors_type("F4_NEW"), gguf_type(999), named_type("auto")) == (None, None, None)


@pytest.mark.parametrize(
    ("dtype", "elements", "size_bytes"),
    [
        (TensorType.BFLOAT16, 10, 20),
        (TensorType.Q4_0, 64, 36),
        (TensorType.Q4_K, 512, 288),
        (TensorType.FP4, 10, 5),
    ],
)
def test_sizes_count_whole_blocks(dtype, elements, size_bytes):
    """A block holds its elements and their scales."""
    assert dtype.size_bytes(elements) == size_bytes
