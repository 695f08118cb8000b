"""How an engine gets onto a machine, as data: its packages, its image, its environment variables."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from llmopt_core.installation import install_command


@dataclass(frozen=True)
class Packaging:
    """What has to be there for an engine to run.

    `extra` is the extra of llmopt that brings it, which may be installed in an environment of its own where
    it is `separable`; of other engines `install` is what a person types to get it. `image` is the last part
    of the tag of the runners' image that has it; "": the engine's name; None: llmopt makes none, so an
    administrator has to name one.
    `distributions` are the packages whose versions a report names. `variables` are the beginnings of names of
    environment variables that only this engine reads, and is given. `version` is the one that its parameters
    are declared for; "": any. `caches` are the variables that say where the engine keeps what it compiled,
    each with the name of a folder.
    """

    install: str = ""
    extra: str = ""
    separable: bool = False
    image: str | None = ""
    distributions: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    version: str = ""
    caches: Mapping[str, str] = field(default_factory=dict)

    @property
    def installation(self) -> str:
        """What a person types to get it here, "" where nobody said."""
        if not self.extra:
            return self.install
        where = ", in a separate environment if needed" if self.separable else ""
        return install_command(self.extra) + where


NO_PACKAGING = Packaging()
