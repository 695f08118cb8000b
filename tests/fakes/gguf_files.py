"""GGUF files, written by the document of the format."""

import struct


def gguf_text(text):
    return struct.pack("<Q", len(text)) + text.encode()


def gguf(values=(), tensors=(("token_embd.weight", (64, 100), 1),), *, data_bytes=64 * 100 * 2):
    """Write a GGUF file by the format's own document; values are (key, type, packed)."""
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(values))
    for key, kind, packed in values:
        head += gguf_text(key) + struct.pack("<I", kind) + packed
    for name, shape, kind in tensors:
        head += gguf_text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, 0)
    return head + bytes(-len(head) % 32) + bytes(data_bytes)


def gguf_number(value):
    return 4, struct.pack("<I", value)


def gguf_llama(**changes):
    numbers = {
        "block_count": 4, "embedding_length": 64, "attention.head_count": 8, "attention.head_count_kv": 2,
        "vocab_size": 100, "context_length": 512, **changes,
    }  # fmt: skip
    values = [("general.architecture", 8, gguf_text("llama"))]
    return [*values, *((f"llama.{key}", *gguf_number(value)) for key, value in numbers.items())]
