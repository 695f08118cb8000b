"""Reads the headers of safetensors files: names, types and sizes of tensors, never their data.

Format: eight bytes with the length of the header, little endian; a JSON object; the data. Source: README of
huggingface/safetensors.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from llmopt_runner.models.resolution import ModelCorrupt
from llmopt_runner.models.tensor_types import TensorType, safetensors_type

_LENGTH_BYTES = 8
_LARGEST_HEADER_BYTES = 100_000_000  # the library's own limit
# No count in a model's files is larger: a number beyond it is damage, and would not fit into a float.
LARGEST_COUNT = 2**53
_MOST_DIMENSIONS = 64
_MOST_ELEMENTS_A_BYTE = 8
_LONGEST_TYPE, _LONGEST_NAME = 40, 255
_INDEX = "model.safetensors.index.json"


@dataclass(frozen=True)
class StoredTensor:
    """One tensor as it lies in a file; `dtype` is None where its type is not known here."""

    name: str
    dtype: TensorType | None
    elements: int
    size_bytes: int
    dimensions: int = 2


def read_safetensors(folder: Path, *, headers_only: bool = False) -> tuple[StoredTensor, ...]:
    """Return the tensors of the model in `folder`, of all its parts; empty when it has no safetensors.

    `headers_only`: a file may end with its header, its data cut off on purpose. Raises ModelCorrupt when a
    part is damaged or missing.
    """
    return tuple(tensor for path in _parts(folder) for tensor in _read_file(path, headers_only=headers_only))


def indexed_bytes(folder: Path) -> int:
    """Return how large the index of `folder` says that all parts together are; 0: it does not, or is none."""
    try:
        with (folder / _INDEX).open("rb") as file:
            total = json.loads(file.read(_LARGEST_HEADER_BYTES))["metadata"]["total_size"]
        return _count(total)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return 0


def _parts(folder: Path) -> list[Path]:
    whole, index = folder / "model.safetensors", folder / _INDEX
    if whole.is_file():
        return [whole]
    if not index.is_file():
        return sorted(folder.glob("*.safetensors"))
    parts = [folder / name for name in sorted(set(_weight_map(index).values()))]
    for part in parts:
        if not part.is_file():
            raise ModelCorrupt(index, f"its part {part.name} is not there")
    return parts


def _weight_map(index: Path) -> Mapping[str, str]:
    try:
        size = index.stat().st_size
        if size > _LARGEST_HEADER_BYTES:
            raise ModelCorrupt(index, f"its {size} bytes are no index")
        found = json.loads(index.read_bytes())["weight_map"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelCorrupt(index, f"it has no weight_map ({error!r})") from error
    names = found.values() if isinstance(found, dict) else [None]
    if not all(isinstance(name, str) and _is_file_name(name) for name in names):
        raise ModelCorrupt(index, "its weight_map does not map names to files of the same folder")
    return dict(found)


def _read_file(path: Path, *, headers_only: bool) -> tuple[StoredTensor, ...]:
    size = path.stat().st_size
    with path.open("rb") as file:
        header = _header(path, file, size)
        data_bytes = size - file.tell()
    if headers_only and not data_bytes:
        data_bytes = _declared_bytes(header)
    tensors = tuple(
        stored_tensor(path, name, entry, data_bytes)
        for name, entry in header.items()
        if name != "__metadata__"
    )
    if sum(tensor.size_bytes for tensor in tensors) != data_bytes:
        raise ModelCorrupt(path, f"its tensors do not fill its {data_bytes} bytes of data")
    return tensors


def _declared_bytes(header: Mapping[str, Any]) -> int:
    """Return how many bytes of data `header` speaks of, 0 where that cannot be read."""
    ends = [entry.get("data_offsets") for entry in header.values() if isinstance(entry, dict)]
    numbers = [end[-1] for end in ends if isinstance(end, list) and end and type(end[-1]) is int]
    return max(numbers, default=0)


def _header(path: Path, file: BinaryIO, size: int) -> Mapping[str, Any]:
    length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
    if not 0 < length <= min(_LARGEST_HEADER_BYTES, size - _LENGTH_BYTES):
        raise ModelCorrupt(path, f"a header of {length} bytes does not fit into the file's {size}")
    first = file.read(1)
    if first != b"{":
        raise ModelCorrupt(path, "its header does not begin with {")
    try:
        header = json.loads(first + file.read(length - 1))
    except (ValueError, RecursionError) as error:
        raise ModelCorrupt(path, f"its header is not JSON ({error})") from error
    if not isinstance(header, dict):
        raise ModelCorrupt(path, "its header is not a JSON object")
    return header


def stored_tensor(path: Path, name: str, entry: Any, data_bytes: int = LARGEST_COUNT) -> StoredTensor:
    """Return the tensor that `entry` of the header of `path` describes; raises ModelCorrupt."""
    try:
        begin, end = (_count(each) for each in entry["data_offsets"])
        elements = _elements(entry["shape"])
        dtype = str(entry["dtype"])[:_LONGEST_TYPE]
        dimensions = len(entry["shape"])
        fits = begin <= end <= data_bytes and elements <= (end - begin) * _MOST_ELEMENTS_A_BYTE
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ModelCorrupt(path, f"the entry of tensor {name[:80]!r} is not readable ({error!r})") from error
    if not fits:
        raise ModelCorrupt(path, f"the data of tensor {name[:80]!r} is not within the file: it is cut off")
    return StoredTensor(name, safetensors_type(dtype), elements, end - begin, dimensions)


def _elements(shape: Any) -> int:
    if not isinstance(shape, list) or len(shape) > _MOST_DIMENSIONS:
        raise ValueError(f"a shape is a list of at most {_MOST_DIMENSIONS} numbers")
    return _count(math.prod(_count(each) for each in shape))


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= LARGEST_COUNT:
        raise ValueError("a size is no whole number from 0, or too large")
    return value


def _is_file_name(name: str) -> bool:
    return name == Path(name).name and len(name) <= _LONGEST_NAME and name.isprintable()
