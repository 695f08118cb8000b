"""The glossary explains the words that pages and messages use without saying what they mean."""

import re

from documentation.pages import ROOT

TERMS = re.findall(r"^\| \*\*(.+?)\*\* \|", (ROOT / "docs/glossary.md").read_text(), re.MULTILINE)


def test_the_terms_of_the_field_are_explained():
    """Somebody who reads a table of results or a manifest finds each of its words."""
    used = {
        "baseline",
        "block",
        "goodput",
        "look",
        "objective",
        "preset",
        "pruner",
        "sampler",
        "SLO",
        "TPOT",
        "TTFT",
    }
    assert used <= set(TERMS)


def test_the_terms_are_sorted():
    """A reader looks for a word by its letters."""
    assert sorted(TERMS, key=str.lower) == TERMS
