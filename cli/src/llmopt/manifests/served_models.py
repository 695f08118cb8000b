"""A model and the engine that serves it, as a manifest has them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llmopt.manifests.option_faults import OptionInvalid
from llmopt.manifests.spellings import OPTIMIZE, Spelling
from llmopt.option_labels import labelled
from llmopt.path_checks import exists, expanded, unreadable
from llmopt_core.resources.source_hints import hub_source, source_hint

_EXPECTED = "hf://ORG/NAME, package://PACKAGE/FILE, a path that exists, ORG/NAME, or a name of models.yaml"
_WORD = re.compile(r"[\w.-]+", re.ASCII)
# As llama.cpp, Ollama and LM Studio name a quantisation of a repository.
_TAGGED_GGUF = re.compile(
    r"(?:(?:hf\.co|huggingface\.co)/)?([\w.-]+/[\w.-]+-gguf)[:@][\w.-]+", re.ASCII | re.IGNORECASE
)
# No name of the hub begins or ends like this.
_LOOKS_LIKE_A_PATH = re.compile(r"^[./~]|\.gguf$", re.IGNORECASE)


@dataclass(frozen=True)
class Served:
    """A model with its engine: `args` are fixed parameters, `endpoint` a server that runs already."""

    source: str
    engine: str
    args: Mapping[str, int | str] = field(default_factory=dict)
    endpoint: Mapping[str, str] = field(default_factory=dict)
    trust_remote_code: bool = False

    @property
    def model_part(self) -> dict[str, Any]:
        """The manifest's `model`."""
        return {"source": self.source, **({"trustRemoteCode": True} if self.trust_remote_code else {})}

    @property
    def engine_part(self) -> dict[str, Any]:
        """The manifest's `engine`."""
        more = {"args": dict(self.args), "endpoint": dict(self.endpoint)}
        return {"name": self.engine, **{name: part for name, part in more.items() if part}}


def model_source(text: str, spelled: Spelling = OPTIMIZE) -> str:
    """Return the source of a model given as a source, a path that exists, or a hub name `org/name`.

    Raises OptionInvalid.
    """
    label = labelled(spelled("model"), text)
    if re.match("https?://", text):
        raise OptionInvalid(
            f"{label}: expected {_EXPECTED}{f' ({hint})' if (hint := source_hint(text)) else ''}"
        )
    if "://" in text:
        return text
    path = expanded(text)
    if text and exists(path):
        return f"file://{path.resolve()}"
    if expected := unreadable(path):
        raise OptionInvalid(f"{label}: expected {expected}")
    if _LOOKS_LIKE_A_PATH.search(text):
        raise OptionInvalid(f"{label}: there is no file or folder {path.absolute()}: correct the path")
    if re.fullmatch(r"[\w.-]+/[\w.-]+(@[\w.-]+)?", text):
        return f"hf://{text}"
    raise OptionInvalid(f"{label}: expected {_EXPECTED}{_hint(text, spelled)}")


def _hint(text: str, spelled: Spelling) -> str:
    """Return what `text` may mean: an address of the hub, a server's own name, or half a name."""
    if found := hub_source(text):
        return f" (did you mean {found}?)"
    if tagged := _TAGGED_GGUF.fullmatch(text):
        return f" (name the file of that quantisation, as in hf://{tagged[1]}/FILE.gguf)"
    if ":" in text and "endpoint" in spelled:
        here = f"{spelled('endpoint_model')}, with {spelled('endpoint')}"
        return f" (a server's own name of it is given by {here})"
    whole = f" (a model of the hub has its organisation before it: ORG/{text})"
    return whole if _WORD.fullmatch(text) else ""
