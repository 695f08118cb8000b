"""`llmopt list`: results, models, data sets, engines and metrics of this machine."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import distributions
from pathlib import Path

from rich.table import Table
from rich.text import Text

from llmopt.terminal import Console
from llmopt_core.api.exit_codes import Exit
from llmopt_core.engines.registry import declaration_of, engine_names
from llmopt_core.metrics.catalog import all_metrics
from llmopt_core.plugins import PluginGroup, plugin_names

Row = tuple[str, ...]


def list_things(kind: str, results: Path) -> Exit:
    """Print a table of the things of `kind`; an empty one says what to do."""
    columns, rows, empty = _KINDS[kind](results)
    console = Console()
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
    found = list(rows)
    for row in found:
        table.add_row(*(Text(cell) for cell in row))
    if found:
        console.print(table)
    else:
        console.print(empty, markup=False, highlight=False, soft_wrap=True)
    return Exit.FINISHED


def _results(results: Path) -> tuple[Row, Iterator[Row], str]:
    rows = (_result(manifest.parent) for manifest in sorted(results.glob("*/manifest.yaml")))
    return ("name", "state", "trials", "best", "outcome"), rows, f"no results in {results}"


def _result(folder: Path) -> Row:
    written = folder / "best.json"
    if not written.exists():
        return folder.name, "unfinished", "", "", ""
    document = json.loads(written.read_text(encoding="utf-8"))
    best = document["winner"] if "winner" in document else document["trial"]
    return (
        folder.name,
        document["ended"] or "unfinished",
        str(document["trials"]),
        "" if best is None else str(best),
        document["headline"],
    )


def _models(_results: Path) -> tuple[Row, Iterator[Row], str]:
    empty = "no models found; give `--model` an hf:// name and the first run downloads it"
    return ("source", "size"), iter(sorted({*_packaged_models(), *_hub_models()})), empty


def _packaged_models() -> Iterator[Row]:
    """Yield the GGUF files that installed packages hold."""
    for distribution in distributions():
        for file in distribution.files or ():
            if file.suffix == ".gguf" and len(file.parts) > 1:
                yield f"package://{file.as_posix()}", _size(Path(str(distribution.locate_file(file))))


def _hub_models() -> Iterator[Row]:
    """Yield the models in the Hugging Face hub's cache."""
    home = Path(os.environ.get("HF_HOME", "~/.cache/huggingface")).expanduser()
    for folder in (home / "hub").glob("models--*"):
        blobs = sum(blob.stat().st_size for blob in (folder / "blobs").glob("*"))
        yield f"hf://{folder.name.removeprefix('models--').replace('--', '/')}", _mib(blobs)


def _size(path: Path) -> str:
    return _mib(path.stat().st_size) if path.exists() else "missing"


def _mib(size: int) -> str:
    return f"{size / 2**20:.0f} MiB"


def _engines(_results: Path) -> tuple[Row, Iterator[Row], str]:
    rows = (
        (name, declaration.summary if (declaration := declaration_of(name)) else "a plug-in")
        for name in engine_names()
    )
    return ("engine", "what it is"), rows, "no engine is installed; reinstall llmopt"


def _datasets(_results: Path) -> tuple[Row, Iterator[Row], str]:
    rows = ((name,) for name in plugin_names(PluginGroup.DATASETS))
    return ("data set",), rows, "no data set is installed; reinstall llmopt, or name a .jsonl file"


def _metrics(_results: Path) -> tuple[Row, Iterator[Row], str]:
    rows = ((each.name, each.unit, each.direction, each.formula) for each in all_metrics().values())
    return ("metric", "unit", "better", "formula"), rows, "no metric is installed; reinstall llmopt"


_KINDS: Mapping[str, Callable[[Path], tuple[Row, Iterator[Row], str]]] = {
    "results": _results,
    "models": _models,
    "datasets": _datasets,
    "engines": _engines,
    "metrics": _metrics,
}
