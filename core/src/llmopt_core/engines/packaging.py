"""How an engine gets onto a machine, as data: its packages, its image, its environment variables."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Packaging:
    """What has to be there for an engine to run.

    `install` is what a person types to get it. `image` is the last part of the tag of the runners' image that
    has it; "": the engine's name; None: llmopt makes none, so an administrator has to name one.
    `distributions` are the packages whose versions a report names. `variables` are the beginnings of names of
    environment variables that only this engine reads, and is given. `version` is the one that its parameters
    are declared for; "": any. `caches` are the variables that say where the engine keeps what it compiled,
    each with the name of a folder.
    """

    install: str = ""
    image: str | None = ""
    distributions: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    version: str = ""
    caches: Mapping[str, str] = field(default_factory=dict)


NO_PACKAGING = Packaging()
