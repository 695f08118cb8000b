"""The types of numbers in tensors: one name each for file headers, engine parameters and memory needs.

Files and engines name the same type differently: `BF16` in a safetensors header, code 30 in a GGUF file,
`bfloat16` for vLLM, `bf16` for llama.cpp. A module that reads one of these names turns it into a
`TensorType`, so that no two spellings are ever compared.
"""

from collections.abc import Mapping
from enum import Enum


class TensorType(Enum):
    """Each member's value: its name, how many elements a block has, and how many bytes a block takes.

    Sources: ggml.c for the block types, the README of huggingface/safetensors for the others.
    """

    FLOAT64 = ("float64", 1, 8)
    FLOAT32 = ("float32", 1, 4)
    FLOAT16 = ("float16", 1, 2)
    BFLOAT16 = ("bfloat16", 1, 2)
    FP8_E4M3 = ("fp8_e4m3", 1, 1)
    FP8_E5M2 = ("fp8_e5m2", 1, 1)
    FP8_E8M0 = ("fp8_e8m0", 1, 1)
    FP4 = ("fp4", 2, 1)
    INT64 = ("int64", 1, 8)
    INT32 = ("int32", 1, 4)
    INT16 = ("int16", 1, 2)
    INT8 = ("int8", 1, 1)
    UINT64 = ("uint64", 1, 8)
    UINT32 = ("uint32", 1, 4)
    UINT16 = ("uint16", 1, 2)
    UINT8 = ("uint8", 1, 1)
    BOOL = ("bool", 1, 1)
    Q4_0 = ("q4_0", 32, 18)
    Q4_1 = ("q4_1", 32, 20)
    Q5_0 = ("q5_0", 32, 22)
    Q5_1 = ("q5_1", 32, 24)
    Q8_0 = ("q8_0", 32, 34)
    Q8_1 = ("q8_1", 32, 36)
    Q2_K = ("q2_k", 256, 84)
    Q3_K = ("q3_k", 256, 110)
    Q4_K = ("q4_k", 256, 144)
    Q5_K = ("q5_k", 256, 176)
    Q6_K = ("q6_k", 256, 210)
    Q8_K = ("q8_k", 256, 292)
    IQ1_S = ("iq1_s", 256, 50)
    IQ1_M = ("iq1_m", 256, 56)
    IQ2_XXS = ("iq2_xxs", 256, 66)
    IQ2_XS = ("iq2_xs", 256, 74)
    IQ2_S = ("iq2_s", 256, 82)
    IQ3_XXS = ("iq3_xxs", 256, 98)
    IQ3_S = ("iq3_s", 256, 110)
    IQ4_NL = ("iq4_nl", 32, 18)
    IQ4_XS = ("iq4_xs", 256, 136)
    TQ1_0 = ("tq1_0", 256, 54)
    TQ2_0 = ("tq2_0", 256, 66)
    MXFP4 = ("mxfp4", 32, 17)

    def __init__(self, label: str, block_elements: int, block_bytes: int) -> None:
        self.label = label
        self.block_elements = block_elements
        self.block_bytes = block_bytes

    @property
    def bytes_per_element(self) -> float:
        """Bytes of one element, its share of the block's scales included."""
        return self.block_bytes / self.block_elements

    def size_bytes(self, elements: int) -> int:
        """Return the size of a tensor of `elements`, in whole blocks."""
        return elements // self.block_elements * self.block_bytes

    @property
    def is_plain_float(self) -> bool:
        """Whether weights of this type are not quantised: an engine may convert or quantise them."""
        return self in _PLAIN_FLOATS


_PLAIN_FLOATS = frozenset({TensorType.FLOAT64, TensorType.FLOAT32, TensorType.FLOAT16, TensorType.BFLOAT16})
_BY_LABEL: Mapping[str, TensorType] = {
    **{each.label: each for each in TensorType},
    "f32": TensorType.FLOAT32,
    "f16": TensorType.FLOAT16,
    "bf16": TensorType.BFLOAT16,
    "fp8": TensorType.FP8_E4M3,
}
_IN_SAFETENSORS: Mapping[str, TensorType] = {
    "F64": TensorType.FLOAT64,
    "F32": TensorType.FLOAT32,
    "F16": TensorType.FLOAT16,
    "BF16": TensorType.BFLOAT16,
    "F8_E4M3": TensorType.FP8_E4M3,
    "F8_E4M3FNUZ": TensorType.FP8_E4M3,
    "F8_E5M2": TensorType.FP8_E5M2,
    "F8_E5M2FNUZ": TensorType.FP8_E5M2,
    "F8_E8M0": TensorType.FP8_E8M0,
    "F4": TensorType.FP4,
    "I64": TensorType.INT64,
    "I32": TensorType.INT32,
    "I16": TensorType.INT16,
    "I8": TensorType.INT8,
    "U64": TensorType.UINT64,
    "U32": TensorType.UINT32,
    "U16": TensorType.UINT16,
    "U8": TensorType.UINT8,
    "BOOL": TensorType.BOOL,
}
_IN_GGUF: Mapping[int, TensorType] = {
    0: TensorType.FLOAT32, 1: TensorType.FLOAT16, 2: TensorType.Q4_0, 3: TensorType.Q4_1, 6: TensorType.Q5_0,
    7: TensorType.Q5_1, 8: TensorType.Q8_0, 9: TensorType.Q8_1, 10: TensorType.Q2_K, 11: TensorType.Q3_K,
    12: TensorType.Q4_K, 13: TensorType.Q5_K, 14: TensorType.Q6_K, 15: TensorType.Q8_K,
    16: TensorType.IQ2_XXS, 17: TensorType.IQ2_XS, 18: TensorType.IQ3_XXS, 19: TensorType.IQ1_S,
    20: TensorType.IQ4_NL, 21: TensorType.IQ3_S, 22: TensorType.IQ2_S, 23: TensorType.IQ4_XS,
    24: TensorType.INT8, 25: TensorType.INT16, 26: TensorType.INT32, 27: TensorType.INT64,
    28: TensorType.FLOAT64, 29: TensorType.IQ1_M, 30: TensorType.BFLOAT16, 34: TensorType.TQ1_0,
    35: TensorType.TQ2_0, 39: TensorType.MXFP4,
}  # fmt: skip


def named_type(name: str) -> TensorType | None:
    """Return the type that an engine's parameter calls `name`, such as `bfloat16` or `f16`; None: unknown."""
    return _BY_LABEL.get(name)


def safetensors_type(name: str) -> TensorType | None:
    """Return the type that a safetensors header calls `name`, such as `BF16`; None: unknown."""
    return _IN_SAFETENSORS.get(name)


def gguf_type(code: int) -> TensorType | None:
    """Return the type of number `code` in a GGUF file; None: unknown."""
    return _IN_GGUF.get(code)
