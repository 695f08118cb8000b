"""The project's `.env`: variables of llmopt that it sets where the environment does not.

A file in a folder may come from others, so it decides no program that is started and no server that is sent a
token: what is not in the list is left out, and `llmopt status` says so.
"""

from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from pathlib import Path

from dotenv.parser import Binding, parse_stream

from llmopt_core.api.environment import Variable
from llmopt_core.errors.classes import LlmoptError
from llmopt_core.errors.files import file_problem

FILE = ".env"
# A benchmark's candidate may have a secret of its own, by its name behind an underscore.
_OF_CANDIDATES = (Variable.MODEL_TOKEN, Variable.ENDPOINT_API_KEY, Variable.EVALUATOR_API_KEY)
KNOWN = frozenset(
    {
        *_OF_CANDIDATES,
        Variable.STORAGE_URL,
        Variable.MODELS_ROOT,
        Variable.REMOTE_CODE,
        "CUDA_VISIBLE_DEVICES",
        "HF_HOME",
        "HF_HUB_CACHE",
        "HF_HUB_OFFLINE",
        "HF_TOKEN",
        "HIP_VISIBLE_DEVICES",
    }
)


class EnvironmentFileInvalid(LlmoptError):
    """The file cannot be read; the message names the line and what to do, but shows no value."""


@dataclass(frozen=True)
class EnvironmentFile:
    """The names in a file, by what became of them: set, set in the environment before, or not known."""

    file: Path
    taken: tuple[str, ...] = ()
    set_before: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return what was taken as one line, without any value."""
        parts = {
            "": self.taken or ("nothing",),
            "already in the environment: ": self.set_before,
            "not variables that llmopt takes from a file: ": self.unknown,
        }
        return "; ".join(f"{words}{', '.join(names)}" for words, names in parts.items() if names)


def take(file: Path, environment: MutableMapping[str, str]) -> EnvironmentFile:
    """Set the known variables of `file` in `environment` where it has none, and return what became of each.

    Raises EnvironmentFileInvalid.
    """
    given = dict(_given(file))
    taken = {name: value for name, value in given.items() if is_known(name) and name not in environment}
    environment.update(taken)
    return EnvironmentFile(
        file,
        tuple(taken),
        tuple(name for name in given if is_known(name) and name not in taken),
        tuple(name for name in given if not is_known(name)),
    )


def is_known(name: str) -> bool:
    """Say whether a file may set the variable `name`."""
    return name in KNOWN or any(name.startswith(f"{each}_") for each in _OF_CANDIDATES)


def _given(file: Path) -> Iterator[tuple[str, str]]:
    try:
        with file.open(encoding="utf-8") as stream:
            bindings = tuple(parse_stream(stream))
    except (OSError, UnicodeDecodeError) as error:
        raise EnvironmentFileInvalid(file_problem(error, file)) from error
    for binding in bindings:
        if binding.error or (binding.key is not None and binding.value is None):
            raise EnvironmentFileInvalid(
                f"{file}:{_line(binding)}: expected NAME=VALUE: correct the line, or put # before it"
            )
        if binding.key is not None and binding.value is not None:
            yield binding.key, binding.value


def _line(binding: Binding) -> int:
    """Return the line that `binding` stands in; what is read of it begins with the empty lines before."""
    text = binding.original.string
    return binding.original.line + text[: len(text) - len(text.lstrip())].count("\n")
