"""Rows of two MiB that a tenant forged, one for each way to make a reader of them run out of memory.

Run as a program, with a folder that holds the rows, it reads each of them and writes, by name, by how many
MiB the process has grown at most until then, and how many seconds reading took.
"""

import json
import resource
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from llmopt_core.search.spaces import SearchSpace
from llmopt_core.storage import answers
from llmopt_core.storage.documents import (
    ASSIGNMENTS,
    END_REASONS,
    ENDINGS,
    HEARTBEATS,
    PLANS,
    dump_definition,
    load,
    load_definition,
)
from llmopt_core.storage.earlier import EARLIER, LEARNED
from llmopt_core.storage.errors import StudyUnreadable
from llmopt_core.storage.records import ObjectiveDefinition, StudyDefinition

ROW_BYTES = 2 * 2**20


@dataclass(frozen=True)
class ForgedRow:
    """A document that is read by `adapter` (None: a definition), with many times `element` in its middle.

    `#` in an element is its number.
    """

    adapter: TypeAdapter[Any] | None
    before: str
    element: str
    after: str

    def text(self) -> str:
        """Return the document, of about `ROW_BYTES`."""
        count = ROW_BYTES // (len(self.element) + 1)
        if "#" not in self.element:
            return f"{self.before}{f'{self.element},' * count}{self.element}{self.after}"
        numbered = (self.element.replace("#", f"{number:x}") for number in range(count))
        return f"{self.before}{','.join(numbered)}{self.after}"

    def read(self, text: str) -> object:
        """Read `text` as the operator does; raises StudyUnreadable."""
        return load_definition(text) if self.adapter is None else load(self.adapter, text, "the row")


def _of_outcome(field: str, element: str, end: str = "]") -> ForgedRow:
    before = f'{{"outcome":{{"kind":"failed","configuration":{{}},{field}'
    return ForgedRow(ENDINGS, before, element, f"{end}}}}}")


def _definition(element: str = "1", **changes: Any) -> ForgedRow:
    """Return a definition with `changes`, in which the text `#` stands for the many elements."""
    objectives = (ObjectiveDefinition("accuracy", "maximize"),)
    made = json.loads(dump_definition(StudyDefinition("study", "abc", SearchSpace(()), objectives)))
    before, after = json.dumps({**made, **changes}).split('"#"')
    return ForgedRow(None, before, element, after)


_PLAN = '{"candidates":[],"source_trials":[],"repeats":5,'
_COMPARED = {"candidates": [{"name": "a", "serving": None}], "baseline": "a", "repeats": 5}
_FAILURE = '"failure":{"error_class":"Unknown","message":"","suggestion":"","limits":['
_FAILED = '{"outcome":{"kind":"failed","configuration":{}}'
_CONFIGURED = '{"outcome":{"kind":"failed","configuration":{"engine":{'
ROWS = {
    "warnings": _of_outcome('"warnings":[', "1"),
    "metrics": _of_outcome('"metrics":{', '"#":""', "}"),
    "metrics that are numbers": _of_outcome('"metrics":{', '"#":1', "}"),
    "samples": _of_outcome('"samples":{', '"#":[]', "}"),
    "probes": _of_outcome('"curve":{"by":"rate","probes":[', "1", "]}"),
    "limits": _of_outcome(_FAILURE, "1", "]}"),
    "items": _of_outcome('"items":{"scores":[', '""', "]}"),
    "answers in an ending": _of_outcome('"answers":[', "1"),
    "facts of lists": _of_outcome('"facts":{"a":[', "[]", "]}"),
    "facts of mappings": _of_outcome('"facts":{"a":[', "{}", "]}"),
    "facts of names": _of_outcome('"facts":{', '"#":1', "}"),
    "scores": ForgedRow(ENDINGS, f'{_FAILED},"scores":[', "[1]", "]}"),
    "settings": ForgedRow(ENDINGS, _CONFIGURED, '"#":[]', "}}}}"),
    "parameters": ForgedRow(ASSIGNMENTS, '{"phase":"search","parameters":{', '"#":[]', "}}"),
    "notes of a sampler": ForgedRow(ASSIGNMENTS, '{"phase":"search","sampler":{"a":[', "{}", "]}}"),
    "a list for an assignment": ForgedRow(ASSIGNMENTS, "[", "1", "]"),
    "candidates": ForgedRow(PLANS, '{"source_trials":[],"repeats":5,"candidates":[', "1", "]}"),
    "empty candidates": ForgedRow(PLANS, '{"source_trials":[],"repeats":5,"candidates":[', "{}", "]}"),
    "levels": ForgedRow(PLANS, f'{_PLAN}"spent":[', "2", "]}"),
    "engines": ForgedRow(PLANS, f'{_PLAN}"engines":[', "1", "]}"),
    "a reason of mappings": ForgedRow(END_REASONS, '{"message":"","reason":[', "{}", "]}"),
    "a runner of numbers": ForgedRow(HEARTBEATS, '{"session":"","runner":[', "1", "]}"),
    "earlier studies": ForgedRow(EARLIER, '[{"resource":"a/b","trials":[', "1", "]}]"),
    "learned": ForgedRow(LEARNED, "[", "1", "]"),
    "stored answers": ForgedRow(answers._ANSWERS, "[", "1", "]"),
    "questions": ForgedRow(answers._QUESTIONS, "[", "1", "]"),
    "a space": _definition(space=["#"]),
    "a space of lists": _definition("[]", space=["#"]),
    "objectives": _definition(objectives=["#"]),
    "enqueued": _definition("{}", enqueue=["#"]),
    "compared": _definition(comparison={**_COMPARED, "candidates": ["#"]}),
    "compared metrics": _definition(comparison={**_COMPARED, "metrics": ["#"]}),
    "served": _definition(serving={"model": ["#"], "engine": {}}),
}


def main(folder: Path) -> None:
    """Read every row of `folder` and write the growth and the time of each."""
    before, found = _peak_mib(), {}
    for name, row in ROWS.items():
        text = (folder / name).read_text()
        began = time.process_time()
        with suppress(StudyUnreadable):
            row.read(text)
        found[name] = round(_peak_mib() - before, 1), round(time.process_time() - began, 3)
    sys.stdout.write(json.dumps(found))


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main(Path(sys.argv[1]))
