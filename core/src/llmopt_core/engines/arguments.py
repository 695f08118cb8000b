"""What a server's command line must say of a configuration, as data: to be merged into another one."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from llmopt_core.search.configurations import Value


@dataclass(frozen=True)
class ServeArguments:
    """Command line arguments that make a server behave as it was measured.

    `told` are the flags of all that was decided, defaults too. `flags` has every spelling of those and
    whether a value follows: with it, what a command line said before is taken out. `untold` holds one
    sentence for each thing that was decided and that no argument can say.
    """

    told: tuple[str, ...] = ()
    flags: Mapping[str, bool] = field(default_factory=dict)
    untold: tuple[str, ...] = ()

    def merged(self, arguments: Sequence[str]) -> tuple[str, ...]:
        """Return `arguments` with what was decided in place of what they said of the same flags."""
        kept: list[str] = []
        left = iter(arguments)
        for argument in left:
            flag, assigned, _ = argument.partition("=")
            takes_value = self.flags.get(_plain(flag))
            if takes_value is None:
                kept.append(argument)
            elif takes_value and not assigned:
                next(left, None)
        return (*kept, *self.told)

    def document(self) -> dict[str, Any]:
        """Return it as a trial's facts hold it."""
        return {**asdict(self), "told": list(self.told), "untold": list(self.untold)}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Return what `document` gave."""
        return cls(tuple(document["told"]), dict(document["flags"]), tuple(document["untold"]))


def spellings_of(parameters: Mapping[str, Value]) -> dict[str, bool]:
    """Return the `flags` of `parameters`, of an engine that puts dashes for underscores."""
    found: dict[str, bool] = {}
    for name, value in parameters.items():
        dashed = name.replace("_", "-")
        found[f"--{dashed}"] = not isinstance(value, bool)
        if isinstance(value, bool):
            found[f"--no-{dashed}"] = False
    return found


def _plain(flag: str) -> str:
    """VLLM takes an underscore for a dash."""
    return flag.replace("_", "-") if flag.startswith("--") else flag
