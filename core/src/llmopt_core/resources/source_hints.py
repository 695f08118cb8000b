"""What a text that is no model source was meant to be."""

import re

# The page of a model or of one of its files, as a browser shows it.
_PAGE = re.compile(
    r"https?://(?:www\.)?(?:huggingface\.co|hf\.co)/(?P<name>[^/?#]+/[^/?#]+)"
    r"(?:/(?:blob|resolve|tree)/(?P<revision>[^/?#]+)(?P<file>/[^?#]+)?)?/?(?:[?#].*)?"
)
_NAME = re.compile(r"[\w-][\w.-]*/[\w.-]+(@[\w.-]+)?", re.ASCII)
_PATH = re.compile(r"[./~$]|.*\.gguf$|[A-Za-z]:\\", re.IGNORECASE)


def source_hint(text: str) -> str | None:
    """Return a suggestion for a model that is given as `text`; None where it says too little."""
    if page := _PAGE.fullmatch(text):
        revision = page["revision"]
        pinned = f"@{revision}" if revision not in {None, "main"} else ""
        return f"did you mean hf://{page['name']}{page['file'] or ''}{pinned}?"
    if _PATH.match(text):
        return "a file or folder is file:// and its absolute path, such as file:///data/model.gguf"
    found = hub_source(text)
    return f"did you mean {found}?" if found else None


def hub_source(text: str) -> str | None:
    """Return the source that `text`, a name or shortened address of the hub, means; None: it is neither."""
    name = re.sub(r"^(?:hf:/?|(?:www\.)?(?:huggingface\.co|hf\.co)/)(?!/)", "", text)
    return f"hf://{name}" if _NAME.fullmatch(name) else None
