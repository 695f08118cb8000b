"""`llmopt get`: the resources of a namespace, or of all, as a table or as they are."""

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import yaml
from rich.table import Table
from rich.text import Text

from llmopt.cluster.commands.exits import say
from llmopt.cluster.conditions import is_current, problem_of, status_of
from llmopt.cluster.kinds import Reference
from llmopt.cluster.listings import columns, row
from llmopt.cluster.references import NotAReference, find, reference
from llmopt.options import Format
from llmopt.terminal import UNBOUNDED, Console
from llmopt_core.api.exit_codes import Exit
from llmopt_core.api.kinds import API_VERSION

if TYPE_CHECKING:
    from llmopt.cluster.clients import Cluster

Document = dict[str, Any]
_NEVER_FOLDED = frozenset({"namespace", "kind", "name", "trials", "age"})


def get(cluster: "Cluster", words: Sequence[str], output: Format, *, everywhere: bool) -> Exit:
    """Print the resources that `words` name; for a single one that does not run, why, too."""
    wanted, console = reference(words), _console(output)
    documents = _documents(cluster, wanted, everywhere=everywhere)
    if output in {Format.JSON, Format.YAML}:
        sys.stdout.write(_text(documents, output, single=wanted.name is not None))
    elif not documents:
        space = "any namespace" if everywhere else f"namespace {cluster.access.namespace}"
        say(console, f"nothing in {space}; to begin: llmopt init, then llmopt apply -f llmopt.yaml")
    else:
        console.print(_table(documents, columns(wide=output is Format.WIDE, everywhere=everywhere)))
        if wanted.name is not None:
            _explain(console, documents[0])
    return Exit.FINISHED


def _console(output: Format) -> Console:
    """A wide table is as wide as it needs to be."""
    return Console() if output is Format.TABLE else Console(width=UNBOUNDED)


def _documents(cluster: "Cluster", wanted: Reference, *, everywhere: bool) -> list[Document]:
    if wanted.name is not None:
        if everywhere:
            raise NotAReference("-A lists all namespaces: leave the name out, or say its namespace with -n")
        return [find(cluster, wanted, cluster.access.namespace)[1]]
    space = None if everywhere else cluster.access.namespace
    found = [_whole(each, kind.value) for kind in wanted.kinds for each in cluster.listed(kind, space)]
    return sorted(found, key=lambda each: (each["metadata"]["namespace"], each["metadata"]["name"]))


def _whole(document: Document, kind: str) -> Document:
    """Items of a list need not say what they are."""
    return {"apiVersion": API_VERSION, "kind": kind, **document}


def _text(documents: Sequence[Document], output: Format, *, single: bool) -> str:
    """Return the documents as kubectl prints them, without what only the API server reads."""
    plain = [
        {**each, "metadata": {k: v for k, v in each["metadata"].items() if k != "managedFields"}}
        for each in documents
    ]
    shown = plain[0] if single else {"apiVersion": "v1", "kind": "List", "items": plain}
    if output is Format.JSON:
        return json.dumps(shown, indent=2, ensure_ascii=False) + "\n"
    return yaml.safe_dump(shown, sort_keys=False, allow_unicode=True)


def _table(documents: Sequence[Document], titles: Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for title in titles:
        table.add_column(title, no_wrap=title in _NEVER_FOLDED, overflow="fold")
    now = datetime.now(tz=UTC)
    for document in documents:
        table.add_row(*(Text(cell) for cell in row(document, titles, now)))
    return table


def _explain(console: Console, document: Document) -> None:
    status = status_of(document)
    if is_current(document, status) and (problem := problem_of(status)):
        say(console, str(problem))
