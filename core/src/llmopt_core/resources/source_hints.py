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
    return f"did you mean hf://{text}?" if _NAME.fullmatch(text) else None
