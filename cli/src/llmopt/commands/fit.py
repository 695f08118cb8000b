"""`llmopt fit`: which types of weights and cache of a model fit on GPUs, and how many requests then do."""

import json
import re
from collections.abc import Iterator

import typer
from rich.table import Table
from rich.text import Text

from llmopt.json_output import print_json
from llmopt.machine.descriptions import RunnerUnusable
from llmopt.machine.fits import COMMAND, Asked, FitFound, FitsFound, ModelUnfit, fits_of
from llmopt.terminal import Console
from llmopt_core.api.exit_codes import Exit

_SIZE = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)\s*([A-Za-z]*)")
_UNITS_MIB = {
    "": 1024.0, "gib": 1024.0, "gi": 1024.0, "gb": 1e9 / 2**20, "g": 1e9 / 2**20, "mib": 1.0, "mi": 1.0,
    "mb": 1e6 / 2**20, "m": 1e6 / 2**20, "tib": 1024.0 * 1024,
}  # fmt: skip
_UNKNOWN = "-"


def mib(text: str, option: str) -> float:
    """Return the size `text`, such as 24GiB, in MiB; a number alone is GiB. Raises typer.BadParameter."""
    found = _SIZE.fullmatch(text.strip())
    factor = _UNITS_MIB.get(found[2].lower()) if found else None
    if found is None or factor is None or not (size := float(found[1]) * factor):
        raise typer.BadParameter(f"{text!r}: expected a size above 0, such as 24GiB", param_hint=option)
    return size


def show_fits(asked: Asked, *, as_json: bool, explained: bool, command: tuple[str, ...] = COMMAND) -> Exit:
    """Print what fits, as a table or as JSON; `command` is the runner's program."""
    try:
        found, document = fits_of(asked, command)
    except ModelUnfit as error:
        _say(Console(stderr=True), f"error: {error}")
        return Exit.INVALID
    except RunnerUnusable as error:
        _say(Console(stderr=True), f"error: {error}")
        return Exit.FAILED
    if as_json:
        print_json(json.loads(document))
        return Exit.FINISHED
    console = Console()
    _say(console, _title(found))
    if found.gpus > 1:
        _say(console, _split(found))
    console.print(_table(found))
    for line in (*_remarks(found), *(_explanations(found) if explained else ())):
        _say(console, line)
    return Exit.FINISHED


def _title(found: FitsFound) -> str:
    hardware = found.hardware
    beside = f" with the draft model {found.draft}" if found.draft else ""
    where = f"on {found.gpus} GPUs" if found.gpus > 1 else "on one GPU"
    if hardware is not None:
        where += (
            f" of {_gib(hardware.memory_mib)}, {hardware.share:.0%} of it used and"
            f" {_gib(hardware.reserve_mib)} reserved"
        )
    return (
        f"{found.model}{beside} {where}; requests of {found.context} tokens;"
        f" the model's context is {found.max_context or 'unknown'}"
    )


def _split(found: FitsFound) -> str:
    split = found.split
    sizes = ", ".join(
        f"{name} parallel {getattr(split, name)}" + (" (assumed)" if name in split.assumed else "")
        for name in ("tensor", "pipeline", "data")
    )
    experts = ", whole experts on each GPU" if split.whole_experts else ""
    idle = f"; {split.gpus} of {found.gpus} GPUs are used" if split.gpus < found.gpus else ""
    return f"split: {sizes}{experts}{idle}"


def _table(found: FitsFound) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for title in ("weights", "KV cache"):
        table.add_column(title, no_wrap=True)
    for title in ("weights/GPU", "KV/token", "KV/request", "max context", "requests"):
        table.add_column(title, justify="right", no_wrap=True)
    for each in found.fits:
        table.add_row(*(Text(cell) for cell in _cells(each)))
    return table


def _cells(fit: FitFound) -> Iterator[str]:
    yield fit.weights
    yield fit.kv_type
    yield _gib(fit.weights_mib)
    yield _UNKNOWN if fit.kv_bytes_per_token is None else f"{fit.kv_bytes_per_token:,.0f} B"
    yield _gib(fit.kv_cache_mib)
    if fit.left_mib is not None and fit.left_mib <= 0:
        yield "does not fit"
        yield "0"
        return
    yield _UNKNOWN if fit.longest_context is None else f"{fit.longest_context:,}"
    yield _UNKNOWN if fit.concurrency is None else f"{fit.concurrency:,}"


def _remarks(found: FitsFound) -> Iterator[str]:
    if found.problem:
        yield f"! the cache is not predicted: {found.problem}"
    if found.hardware is None:
        yield "no GPU is seen here: --gpu-memory 24GiB says what there is"
    if any(each.stage for each in found.fits):
        yield "stages differ: sizes are those of the GPUs that need most"
    if found.split.data > 1:
        yield f"requests are those of all {found.split.data} replicas together"
    if any(_is_less_beyond(each) for each in found.fits):
        yield "beyond the windows a token takes less: --explain says how much"
    for note in found.notes:
        yield f"note: {note}"


def _is_less_beyond(fit: FitFound) -> bool:
    return fit.kv_bytes_per_token != fit.kv_bytes_per_further_token


def _explanations(found: FitsFound) -> Iterator[str]:
    for fit in found.fits:
        yield ""
        where = f" of stage {fit.stage} of {found.split.pipeline}, which needs most" if fit.stage else ""
        yield f"{fit.weights}, KV cache in {fit.kv_type}, on each GPU{where}:"
        for term in fit.terms:
            yield f"  {_gib(term.mib):>12}  {term.name}: {term.source}"
        if fit.kv_cache_mib is not None and fit.least_kv_cache_mib is not None:
            yield (
                f"  {_gib(fit.kv_cache_mib):>12}  KV cache of one request of {found.context} tokens as"
                f" allocated; {_gib(fit.least_kv_cache_mib)} without rounding"
            )
            yield f"  {fit.kv_bytes_per_further_token:12,.0f}  bytes a token beyond the windows"
        if fit.left_mib is not None:
            yield f"  {_gib(fit.left_mib):>12}  left for the KV cache"


def _gib(size_mib: float | None) -> str:
    return _UNKNOWN if size_mib is None else f"{size_mib / 1024:,.2f} GiB"


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
