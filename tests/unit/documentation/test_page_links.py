"""Links between pages, and what each page says first."""

import re

import pytest
from documentation.pages import ROOT, pages

PAGES = pages()
_LINK = re.compile(r"(?<!\\)\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_ENGLISH = [path for path in PAGES if path.is_relative_to(ROOT / "docs") and path.parent.name != "ko"]
_TITLE = re.compile(r"^# .*\n\n(?P<first>.*)", re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_to_a_file(page):
    """A relative link names a file or a folder of the repository, and a heading that is in it."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    for found in _LINK.finditer(text):
        target, _, heading = found["target"].partition("#")
        if "://" in target:
            continue
        path = (page.parent / target).resolve() if target else page
        assert path.exists(), f"{page.name}: {found['target']}"
        if heading:
            assert heading in _anchors(path.read_text()), f"{page.name}: {found['target']}"


def _anchors(text):
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", _ENGLISH, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_page_begins_with_its_reader(page):
    """The first words say for whom a page is."""
    first = _TITLE.search(page.read_text())["first"]
    assert first.startswith("For "), f"{page.name}: {first[:60]}"


def test_every_page_is_in_the_navigation():
    """A page that no menu leads to is not found."""
    navigation = (ROOT / "mkdocs.yml").read_text()
    documents = [path.relative_to(ROOT / "docs") for path in PAGES if path.is_relative_to(ROOT / "docs")]
    assert [str(path) for path in documents if f" {path}\n" not in navigation] == []
