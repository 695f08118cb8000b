"""A hook of MkDocs: a link that leaves docs/ becomes the path of a file that the site does not contain."""

import re

_LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]*)\]\((?P<up>(?:\.\./)+)(?P<target>[^)\s]+)\)")


def on_page_markdown(markdown: str, page: object, **_: object) -> str:
    """Return `markdown` with what leads out of docs/ as plain text."""
    depth = str(page.file.src_uri).count("/")  # type: ignore[attr-defined]  # MkDocs' own Page
    return _LINK.sub(lambda found: found[0] if _ups(found) <= depth else _plain(found), markdown)


def _ups(found: re.Match[str]) -> int:
    return found["up"].count("/")


def _plain(found: re.Match[str]) -> str:
    text, target = found["text"], found["target"]
    return f"`{target}`" if text.strip("`") == target else f"{text} (`{target}` in the repository)"
