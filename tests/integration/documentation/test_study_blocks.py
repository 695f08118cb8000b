"""The blocks of the pages that ask for results: run on a machine with a finished study.

What is not run is listed in documentation/not_run.txt with its reason, so that a new block is run or fails.
"""

from dataclasses import replace

import pytest
from documentation.machines import FAST, HUB, copied, finished_study
from documentation.pages import ROOT, blocks, not_run, pages
from fakes.hub_server import HubServer
from fakes.openai_server import FakeServer

pytestmark = pytest.mark.slow
pytest.importorskip("huggingface_hub", reason="the extra `hub` is not installed")

# Its blocks are those of the English page: tests/unit/documentation/test_page_translations.py.
_TRANSLATED = {"README.ko.md", "docs/ko/tutorial.md"}


def _asked(path):
    """Return the blocks of a page that are run here, at least in part."""
    found = (block for block in blocks(path) if not (block.run or block.cluster or block.foreign))
    return [
        block
        for block in found
        if block.language == "python"
        or (block.language in {"console", "bash"} and set(block.typed) - set(not_run()))
    ]


PAGES = [path for path in pages() if _asked(path) and str(path.relative_to(ROOT)) not in _TRANSLATED]


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    """One machine for all pages; each has a copy of its files."""
    with FakeServer(replace(FAST, model="qwen3:4b")) as server, HubServer(HUB) as hub:
        yield finished_study(tmp_path_factory.mktemp("machine"), server.base_url, hub.url)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_blocks_of_a_page_run_where_a_study_has_ended(page, machine, tmp_path):
    """Each command and each piece of Python ends without an error, one after another."""
    own = copied(machine, tmp_path)
    for block in blocks(page):
        if block.title:
            (own.folder / block.title).write_text(block.text)
    for block in _asked(page):
        own.run(block)
