"""Reads the headers of GGUF files: metadata, and names, types and sizes of tensors, never their data.

Source of the format: ggml's docs/gguf.md.
"""

import math
import os
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from llmopt_runner.models.resolution import ModelCorrupt
from llmopt_runner.models.safetensors_headers import LARGEST_COUNT, StoredTensor
from llmopt_runner.models.tensor_types import gguf_type

_MAGIC = b"GGUF"
_KNOWN_VERSIONS = range(2, 4)
_NEWER_VERSIONS = range(4, 64)
_LONGEST_NAME_BYTES = 65_535
_LONGEST_KEPT_ARRAY = 4096  # one number a layer is kept, a vocabulary is only counted
_MOST_DIMENSIONS = 8
_STRING, _ARRAY, _BOOL = 8, 9, 7
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", _BOOL: "?", 10: "Q", 11: "q", 12: "d"}
_PART = re.compile(r"-00001-of-(\d{5})\.gguf$")


@dataclass(frozen=True)
class GgufHeader:
    """`values` holds numbers, short lists of numbers and short texts; `lengths` how long each list is."""

    values: Mapping[str, object]
    lengths: Mapping[str, int]
    tensors: tuple[StoredTensor, ...]

    @property
    def architecture(self) -> str:
        """The prefix of the model's own keys, such as `llama`."""
        return str(self.values.get("general.architecture", ""))


def read_gguf(path: Path) -> GgufHeader | None:
    """Return the header of a GGUF file, with the tensors of all its parts where it is the first of several.

    None: the file is of a version that is newer than this reader. Raises ModelCorrupt.
    """
    header = _read_file(path)
    match = _PART.search(path.name)
    if header is None or match is None:
        return header
    tensors = list(header.tensors)
    for number in range(2, int(match[1]) + 1):
        part = path.with_name(path.name[: match.start()] + f"-{number:05d}-of-{match[1]}.gguf")
        if not part.is_file():
            raise ModelCorrupt(path, f"its part {part.name} is not there")
        read = _read_file(part)
        tensors += read.tensors if read else ()
    return GgufHeader(header.values, header.lengths, tuple(tensors))


def _read_file(path: Path) -> GgufHeader | None:
    with path.open("rb") as file:
        return read_gguf_file(file, path.stat().st_size, path)


def read_gguf_file(file: BinaryIO, size: int, path: Path) -> GgufHeader | None:
    """Return the header of a file of `size` bytes, which is called `path` in errors; its parts are not read.

    None: it is of a version that is newer than this reader. Raises ModelCorrupt.
    """
    return _Reader(path, file, size).header()


def begins_as_gguf(path: Path) -> bool:
    """Say whether the file at `path` begins as a GGUF file does; raises OSError."""
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


@dataclass
class _Reader:
    path: Path
    file: BinaryIO
    size: int
    values: dict[str, object] = field(default_factory=dict)
    lengths: dict[str, int] = field(default_factory=dict)

    def header(self) -> GgufHeader | None:
        if self.file.read(len(_MAGIC)) != _MAGIC:
            raise ModelCorrupt(self.path, "it does not begin with GGUF: it is no GGUF file, or damaged")
        version = self._number("I")
        if version in _NEWER_VERSIONS:
            return None
        if version not in _KNOWN_VERSIONS:
            raise ModelCorrupt(self.path, f"version {version} of the format is not known")
        tensor_count, value_count = self._count(smallest_bytes=25), self._count(smallest_bytes=13)
        for _ in range(value_count):
            key = self._name()
            self._value(key, int(self._number("I")))
        found = [self._tensor() for _ in range(tensor_count)]
        self._require_data(found)
        return GgufHeader(self.values, self.lengths, tuple(tensor for tensor, _ in found))

    def _value(self, key: str, kind: int) -> None:
        if kind == _STRING:
            self.values[key] = self._text()
        elif kind == _ARRAY:
            self._array(key)
        else:
            self.values[key] = self._number(self._format(kind))

    def _array(self, key: str) -> None:
        kind = int(self._number("I"))
        length = self._count(smallest_bytes=8 if kind in {_STRING, _ARRAY} else 1)
        self.lengths[key] = length
        if kind == _ARRAY:
            raise ModelCorrupt(self.path, f"{key} holds lists of lists, which the format does not have")
        if kind == _STRING:
            for _ in range(length):
                self._skip(int(self._number("Q")))
            return
        layout = self._format(kind)
        if length <= _LONGEST_KEPT_ARRAY:
            self.values[key] = [self._number(layout) for _ in range(length)]
        else:
            self._skip(length * struct.calcsize(f"<{layout}"))

    def _tensor(self) -> tuple[StoredTensor, int]:
        """Read one tensor and where its data begins, counted from the first tensor's."""
        name = self._name()
        dimensions = int(self._number("I"))
        if dimensions > _MOST_DIMENSIONS:
            raise ModelCorrupt(self.path, f"tensor {name[:80]!r} has {dimensions} dimensions")
        elements = math.prod(int(self._number("Q")) for _ in range(dimensions))
        if elements > LARGEST_COUNT:
            raise ModelCorrupt(self.path, f"tensor {name[:80]!r} is larger than any")
        kind, offset = int(self._number("I")), int(self._number("Q"))
        dtype = gguf_type(kind)
        size_bytes = 0 if dtype is None else dtype.size_bytes(elements)
        return StoredTensor(name, dtype, elements, size_bytes, dimensions), offset

    def _require_data(self, tensors: list[tuple[StoredTensor, int]]) -> None:
        alignment = self.values.get("general.alignment", 32)
        if not isinstance(alignment, int) or alignment <= 0:
            raise ModelCorrupt(self.path, f"its alignment is {alignment!r}")
        begin = -(-self.file.tell() // alignment) * alignment
        for tensor, offset in tensors:
            if begin + offset + tensor.size_bytes > self.size:
                raise ModelCorrupt(
                    self.path,
                    f"the data of tensor {tensor.name[:80]!r} ends beyond {self.size} bytes: it is cut off",
                )

    def _format(self, kind: int) -> str:
        if kind not in _SCALARS:
            raise ModelCorrupt(self.path, f"there is no value type {kind}")
        return _SCALARS[kind]

    def _number(self, layout: str) -> float:
        packed = f"<{layout}"
        number: float = struct.unpack(packed, self._bytes(struct.calcsize(packed)))[0]
        return number

    def _count(self, *, smallest_bytes: int) -> int:
        """Read how many entries follow, each of at least `smallest_bytes`."""
        count = int(self._number("Q"))
        if count * smallest_bytes > self.size - self.file.tell():
            raise ModelCorrupt(self.path, f"{count} entries do not fit into its {self.size} bytes")
        return count

    def _name(self) -> str:
        length = int(self._number("Q"))
        if length > _LONGEST_NAME_BYTES:
            raise ModelCorrupt(self.path, f"a name of {length} bytes is longer than the format allows")
        return self._bytes(length).decode(errors="replace")

    def _text(self) -> str:
        """Read a text; only the beginning of a long one (a chat template, say) is kept."""
        length = int(self._number("Q"))
        kept = self._bytes(min(length, _LONGEST_NAME_BYTES)).decode(errors="replace")
        self._skip(length - min(length, _LONGEST_NAME_BYTES))
        return kept

    def _bytes(self, count: int) -> bytes:
        found = self.file.read(count)
        if len(found) < count:
            raise self._cut_off()
        return found

    def _skip(self, count: int) -> None:
        if count <= _LONGEST_NAME_BYTES:  # a vocabulary has a hundred thousand of them: reading is quicker
            self._bytes(count)
        elif count > self.size - self.file.tell():
            raise self._cut_off()
        else:
            self.file.seek(count, os.SEEK_CUR)

    def _cut_off(self) -> ModelCorrupt:
        return ModelCorrupt(self.path, "it ends within its header: the file is cut off")
