"""What the user calls an option: each command and each function has some of them, by names of its own."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields

from llmopt.options import BenchmarkOptions, CompareOptions, Options

# These hold several values, and the command's option is given once for each.
_REPEATED = frozenset({"objectives", "constraints", "metrics"})
# One of several values is a fault of the option that holds them all.
_ONE_OF = {"model": "models", "objectives": "objective"}


@dataclass(frozen=True)
class Spelling:
    """What each option is called where it can be given; `otherwise` says how else a manifest is changed."""

    names: Mapping[str, str]
    otherwise: str

    def __call__(self, option: str) -> str:
        """Return what the user calls `option`, one that can be given."""
        return self.names[option]

    def __contains__(self, option: str) -> bool:
        return option in self.names

    def but(self, **names: str) -> "Spelling":
        """Return this spelling with other `names`, such as places in a file in place of options."""
        return Spelling({**self.names, **names}, self.otherwise)


def flag(name: str) -> str:
    """Return how commands spell the option `name`."""
    return f"--{name.removesuffix('s') if name in _REPEATED else name}".replace("_", "-")


def keywords(names: Iterable[str]) -> Spelling:
    """Return the spelling of a function in Python that takes `names`."""
    spelled = {name: name for name in names}
    return Spelling({**spelled, "no_confirm": "confirm=False"}, "write a manifest, and give it as manifest=")


def _command(options: type) -> Spelling:
    names = {each.name: flag(each.name) for each in fields(options)} | {"no_confirm": "--no-confirm"}
    names |= {one: names[all_] for one, all_ in _ONE_OF.items() if one not in names and all_ in names}
    return Spelling(names, "write a manifest to change it: --dry-run prints this one")


OPTIMIZE = _command(Options)
BENCHMARK = _command(BenchmarkOptions)
COMPARE = _command(CompareOptions)
# Of commands that take a manifest or write one, and a model for it.
ONLY_MODEL = Spelling({"model": flag("model")}, "change the manifest")
