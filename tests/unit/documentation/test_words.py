"""Readers meet the terms of the field: one list of words that are not used, for pages and for messages."""

import ast
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest
from documentation.pages import ROOT, pages

# `word->better word` a line.
WORDS = dict(line.split("->") for line in (ROOT / "tests/documentation/words.txt").read_text().splitlines())
# `stops in order` for gracefully; `in order to`, and things in their order, are plain English.
_NOT_GRACEFULLY = r"\b(?:end|stop|clos|quit)\w*(?: \w+){0,3} in order\b(?! to\b)"
_AVOIDED = re.compile(rf"\b(?:{'|'.join(WORDS)})\b|{_NOT_GRACEFULLY}", re.IGNORECASE)
_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
_CHART = {".yaml", ".tpl", ".txt", ".json"}
_TEXTS = [
    *pages(),
    *sorted((ROOT / "docs/design").glob("*.md")),
    *(ROOT / name for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "config/samples").glob("*.yaml")),
    *sorted((ROOT / "cli/src/llmopt/report").glob("*.j2")),
    *sorted(
        path
        for path in (ROOT / "helm/llmopt").rglob("*")
        if path.suffix in {".yaml", ".tpl", ".txt", ".json"}
    ),
    *sorted(path for path in (ROOT / "scripts").rglob("*") if path.is_file() and path.suffix != ".pyc"),
    *sorted((ROOT / "examples").glob("*.ipynb")),
    *(
        ROOT / name
        for name in (
            "Makefile",
            "Dockerfile.operator",
            "Dockerfile.runner",
            "tests/integration/monitoring/alerts.test.yaml",
        )
    ),
]
_SOURCES = sorted(
    path
    for folder in ("core", "cli", "runner", "operator", "bench")
    for path in (ROOT / folder).rglob("*.py")
)
# Names of columns and keys that studies of earlier versions are stored with.
_STORED = {"told", "untold", "llmopt:ticket"}
# And names that are others' or stored: of files, of Optuna's and SMAC's interface, and of a runner's record.
_OTHERS = {"tell", "c_void_p", "beat"}


@pytest.mark.parametrize("path", _TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_page_uses_the_terms_of_the_field(path):
    """No word of the list stands outside of code."""
    found = _AVOIDED.findall(_CODE.sub("", path.read_text()))
    assert found == [], {word: WORDS.get(word.lower(), "gracefully") for word in found}


def test_messages_and_docstrings_use_the_terms_of_the_field():
    """Help texts, errors, conditions, metric help and docstrings use no word of the list."""
    found = [f"{path.relative_to(ROOT)}:{line}: {text}" for path in _SOURCES for line, text in _said(path)]
    assert found == []


def test_names_and_comments_use_the_terms_of_the_field():
    """Comments, and the words that names in the code are made of, are none of the list."""
    paths = [*_SOURCES, *sorted((ROOT / "tests").rglob("*.py"))]
    found = [f"{path.relative_to(ROOT)}:{line}: {text}" for path in paths for line, text in _named(path)]
    assert found == []


def _said(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value not in _STORED:
            for found in _AVOIDED.finditer(re.sub(r"`[^`\n]*`", "", node.value)):
                yield node.lineno, found[0]


def _named(path: Path) -> Iterator[tuple[int, str]]:
    with path.open(encoding="utf-8") as file:
        for token in tokenize.generate_tokens(file.readline):
            text = token.string
            if token.type == tokenize.COMMENT:
                yield from (
                    (token.start[0], found[0]) for found in _AVOIDED.finditer(re.sub(r"`[^`]*`", "", text))
                )
            elif token.type == tokenize.NAME and text not in _OTHERS:
                words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text.replace("_", " "))
                yield from ((token.start[0], text) for _ in _AVOIDED.finditer(words))
