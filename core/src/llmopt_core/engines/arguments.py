"""What a server's command line must say of a configuration, as data: to be merged into another one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from llmopt_core.search.configurations import Value


@dataclass(frozen=True)
class ServeArguments:
    """Command line arguments that make a server behave as it was measured.

    `given` are the arguments for all that was decided, defaults too. `flags` has every spelling of their
    flags and whether a value follows: with it, what a command line said before is taken out. `omitted` holds
    one sentence for each thing that was decided and that no argument can express.
    """

    given: tuple[str, ...] = ()
    flags: Mapping[str, bool] = field(default_factory=dict)
    omitted: tuple[str, ...] = ()

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
        return (*kept, *self.given)

    def document(self) -> dict[str, Any]:
        """Return it as a trial's facts hold it, by the keys that stored studies have."""
        return {"told": list(self.given), "flags": dict(self.flags), "untold": list(self.omitted)}

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
