"""Where `models.yaml` lies, and which models it names: the project's folder first, then the user's."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from llmopt.manifests import OptionInvalid
from llmopt.manifests.served_models import model_source
from llmopt.manifests.spellings import OPTIMIZE, Spelling
from llmopt.named_models.engine_arguments import Argument, engine_arguments
from llmopt.named_models.entries import ModelsInvalid, NamedModel, parsed
from llmopt.option_labels import labelled
from llmopt.path_checks import exists, expanded, may_exist
from llmopt_core.errors.files import file_problem
from llmopt_core.resources.faults import did_you_mean

FILE = "models.yaml"


@dataclass(frozen=True)
class Registered:
    """A named model and the file that names it."""

    name: str
    model: NamedModel
    file: Path

    @property
    def source(self) -> str:
        """Where its weights are, as a manifest has it; raises OptionInvalid."""
        text = self.model.source
        beside = self.file.parent / expanded(text)
        source = str(beside) if "://" not in text and may_exist(beside) else text
        return model_source(source, self.spelled(OPTIMIZE))

    def spelled(self, options: Spelling) -> Spelling:
        """Return `options`, but what the file says of the model is spelled by its place there."""
        engine = {"engine": f"{self._place}.engine:"} if self.model.engine else {}
        return options.but(model=f"{self._place}.source:", **engine)

    def arguments(self, engine: str) -> dict[str, Argument]:
        """Return the parameters of `engine` that are fixed for it; raises OptionInvalid with all faults."""
        arguments, faults = engine_arguments(self.model, engine)
        if faults:
            raise OptionInvalid("\n".join(f"{self._place}.{fault}" for fault in faults))
        return arguments

    @property
    def _place(self) -> str:
        return f"{self.file}: models.{self.name}"


def files() -> tuple[Path, ...]:
    """Return where models may be named, the more specific first."""
    return Path(FILE), platformdirs.user_config_path("llmopt") / FILE


def registered() -> dict[str, Registered]:
    """Return all named models; of two with one name the project's. Raises OptionInvalid."""
    found: dict[str, Registered] = {}
    for file in reversed(files()):
        found |= {name: Registered(name, model, file) for name, model in _models_in(file).items()}
    return found


def find_model(text: str, spelled: Spelling = OPTIMIZE) -> Registered | None:
    """Return the model that is named `text`; None where that is a source, a path or a hub's name.

    Raises OptionInvalid where it can only be a name, and no file has it.
    """
    if "/" in text or Path(text).suffix.lower() == ".gguf":
        return None
    known = registered()
    if text in known:
        return known[text]
    if not text or exists(text) or not known:
        return None
    raise OptionInvalid(
        f"{labelled(spelled('model'), text)}:"
        f" no model of that name in {_listed(known)}: {did_you_mean(text, known)}"
    )


def _models_in(file: Path) -> dict[str, NamedModel]:
    try:
        return parsed(file.read_text(encoding="utf-8"), file)
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise OptionInvalid(file_problem(error, file)) from error
    except ModelsInvalid as error:
        raise OptionInvalid(str(error)) from error


def _listed(known: dict[str, Registered]) -> str:
    return " and ".join(str(file) for file in dict.fromkeys(_files_of(known)))


def _files_of(known: dict[str, Registered]) -> Iterator[Path]:
    return (one.file for one in known.values())
