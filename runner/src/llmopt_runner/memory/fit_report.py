"""Prints what of a model fits on given GPUs: `python -m llmopt_runner.memory.fit_report`.

For the command that a person types, which imports nothing of a runner: one JSON document.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from llmopt_core.errors.classes import LlmoptError
from llmopt_core.errors.files import words_of
from llmopt_runner.host.devices import visible_devices
from llmopt_runner.host.occupancy import DeviceUnreadable
from llmopt_runner.memory.fits import Fit, Hardware, fits, is_too_long, rounding_note
from llmopt_runner.memory.model_shapes import shape_of
from llmopt_runner.memory.shapes import ModelShape
from llmopt_runner.memory.splits import AskedSplit, split_of

_USUAL_CONTEXT = 8192


def describe(options: argparse.Namespace) -> dict[str, Any]:
    """Return the document; raises LlmoptError where the model cannot be read, or not be split as asked."""
    shape = shape_of(options.model)
    draft = shape_of(options.draft) if options.draft else None
    memory_mib, gpus = _gpus(options)
    asked = AskedSplit(
        options.tensor_parallel, options.pipeline_parallel, options.data_parallel, options.expert_parallel
    )
    split = split_of(asked, shape, gpus)
    gpus = gpus or split.gpus
    hardware = None if memory_mib is None else Hardware(gpus, memory_mib, options.share, options.reserve_mib)
    context = options.context or min(shape.max_context or _USUAL_CONTEXT, _USUAL_CONTEXT)
    return {
        "model": options.model,
        "draft": options.draft,
        "max_context": shape.max_context,
        "context": context,
        "gpus": gpus,
        "split": {**asdict(split), "gpus": split.gpus, "assumed": list(asked.assumed)},
        "hardware": None if hardware is None else asdict(hardware),
        "problem": shape.unknown or (draft.unknown if draft else "") or None,
        "notes": [
            *_too_long(context, shape),
            *shape.notes,
            rounding_note(is_gguf=shape.is_gguf),
            *_drafting(shape),
        ],
        "fits": [_row(each) for each in fits(shape, hardware, context, split, draft)],
    }


def _too_long(context: int, shape: ModelShape) -> list[str]:
    if not is_too_long(context, shape):
        return []
    own = f"the model's context of {shape.max_context}"
    return [f"requests of {context} tokens are longer than {own}: none is served"]


def _drafting(shape: ModelShape) -> list[str]:
    stored = shape.weights.drafting_bytes
    return [f"layers that only draft are not counted: {stored / 2**20:.0f} MiB as stored"] if stored else []


def _row(fit: Fit) -> dict[str, Any]:
    return {
        **{
            name: round(value, 3) if isinstance(value, float) else value
            for name, value in asdict(fit).items()
            if name != "terms"
        },
        "terms": [{**asdict(term), "mib": round(term.mib, 3)} for term in fit.terms],
    }


def _gpus(options: argparse.Namespace) -> tuple[float | None, int | None]:
    """Return the memory of each GPU and their number, None where nothing says it."""
    if options.gpu_memory_mib is not None:
        return options.gpu_memory_mib, options.gpus
    seen = _own_gpus()
    return (min(seen), options.gpus or len(seen)) if seen else (None, options.gpus)


def _own_gpus() -> list[float]:
    """Return the sizes of this machine's GPUs."""
    found = []
    for device in visible_devices():
        if device.kind == "gpu":
            try:
                found.append(device.occupancy().total_mib)
            except DeviceUnreadable:
                continue
    return found


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--draft")
    parser.add_argument("--gpu-memory-mib", type=float)
    parser.add_argument("--gpus", type=int)
    parser.add_argument("--tensor-parallel", type=int)
    parser.add_argument("--pipeline-parallel", type=int)
    parser.add_argument("--data-parallel", type=int)
    parser.add_argument("--expert-parallel", action="store_true")
    parser.add_argument("--context", type=int)
    parser.add_argument("--share", type=float, required=True)
    parser.add_argument("--reserve-mib", type=float, required=True)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the document, or what is wrong as one that only says so."""
    try:
        document = describe(_options(arguments))
    except (LlmoptError, OSError) as error:
        document = {"error": words_of(error)}
    json.dump(document, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
