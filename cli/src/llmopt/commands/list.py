"""`llmopt list`: results, models, data sets and metrics of this machine."""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import distributions
from itertools import chain
from pathlib import Path

from llmopt.commands.listed_rows import Row, print_rows
from llmopt.json_output import print_json
from llmopt.manifests import OptionInvalid
from llmopt.named_models.registry import registered
from llmopt.path_checks import expanded
from llmopt.terminal import Console
from llmopt_core.api.exit_codes import Exit
from llmopt_core.metrics.catalog import all_metrics
from llmopt_core.plugins import PluginGroup, plugin_names
from llmopt_core.resources.known import dataset_summary


def list_things(kind: str, results: Path, *, as_json: bool = False) -> Exit:
    """Print the things of `kind` as a table, of which an empty one says what to do, or as JSON."""
    console = Console()
    try:
        columns, rows, empty = _KINDS[kind](results)
        found = list(rows)
    except OptionInvalid as error:
        Console(stderr=True).print(f"error: {error}", markup=False, highlight=False, soft_wrap=True)
        return Exit.INVALID
    if as_json:
        print_json(_objects(columns, found))
        return Exit.FINISHED
    if found:
        print_rows(console, columns, found)
    else:
        console.print(empty, markup=False, highlight=False, soft_wrap=True)
    return Exit.FINISHED


def _objects(columns: Row, rows: Sequence[Row]) -> list[dict[str, str | int | None]]:
    """Return the rows as objects with the columns' names."""
    names = [str(column).replace(" ", "_").lower() for column in columns]
    return [dict(zip(names, row, strict=True)) for row in rows]


def _results(results: Path) -> tuple[Row, Iterator[Row], str]:
    rows = (_result(manifest.parent) for manifest in sorted(results.glob("*/manifest.yaml")))
    return ("name", "state", "trials", "best", "outcome"), rows, f"no results in {results}"


def _result(folder: Path) -> Row:
    written = folder / "best.json"
    if not written.exists():
        return folder.name, "unfinished", None, None, None
    document = json.loads(written.read_text(encoding="utf-8"))
    best = document["winner"] if "winner" in document else document["trial"]
    return (
        folder.name,
        document["ended"] or "unfinished",
        document["trials"],
        best,
        document["headline"],
    )


def _models(_results: Path) -> tuple[Row, Iterator[Row], str]:
    """Return the models of models.yaml by name, then those on this machine; raises OptionInvalid."""
    empty = "no models found; give `--model` an hf:// name and the first run downloads it"
    here = (
        (None, source, None, size, None) for source, size in sorted({*_packaged_models(), *_hub_models()})
    )
    return ("name", "source", "engine", "MiB", "description"), chain(_named_models(), here), empty


def _named_models() -> Iterator[Row]:
    for name, one in registered().items():
        yield name, one.model.source, one.model.engine, None, one.model.description or None


def _packaged_models() -> Iterator[tuple[str, int]]:
    """Yield the GGUF files that installed packages hold."""
    for distribution in distributions():
        for file in distribution.files or ():
            if file.suffix == ".gguf" and len(file.parts) > 1:
                path = Path(str(distribution.locate_file(file)))
                if path.exists():
                    yield f"package://{file.as_posix()}", _mib(path.stat().st_size)


def _hub_models() -> Iterator[tuple[str, int]]:
    """Yield the models in the Hugging Face hub's cache."""
    home = expanded(os.environ.get("HF_HOME", "~/.cache/huggingface"))
    for folder in (home / "hub").glob("models--*"):
        blobs = sum(blob.stat().st_size for blob in (folder / "blobs").glob("*"))
        yield f"hf://{folder.name.removeprefix('models--').replace('--', '/')}", _mib(blobs)


def _mib(size: int) -> int:
    return round(size / 2**20)


def _datasets(_results: Path) -> tuple[Row, Iterator[Row], str]:
    rows = ((name, dataset_summary(name)) for name in plugin_names(PluginGroup.DATASETS))
    return (
        ("data set", "what it is"),
        rows,
        "no data set is installed; reinstall llmopt, or name a .jsonl file",
    )


def _metrics(_results: Path) -> tuple[Row, Iterator[Row], str]:
    rows = ((each.name, each.unit, each.direction, each.formula) for each in all_metrics().values())
    return ("metric", "unit", "better", "formula"), rows, "no metric is installed; reinstall llmopt"


_KINDS: Mapping[str, Callable[[Path], tuple[Row, Iterator[Row], str]]] = {
    "results": _results,
    "models": _models,
    "datasets": _datasets,
    "metrics": _metrics,
}
