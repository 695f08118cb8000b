"""Which engine serves a model: by what its files are, and by what is installed on this machine. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from llmopt.machine.descriptions import Description
from llmopt.manifests import OptionInvalid
from llmopt.manifests.served_models import model_source
from llmopt.manifests.spellings import OPTIMIZE, Spelling
from llmopt.option_labels import labelled
from llmopt.options import ServedOptions
from llmopt.path_checks import exists, is_dir, is_file
from llmopt_core.engines.endpoints import usual_endpoint
from llmopt_core.engines.openai.declaration import OPENAI
from llmopt_core.engines.registry import BUILT_IN

ENDPOINT_ENGINE = OPENAI.name
GGUF_ENGINE = next(each.name for each in BUILT_IN.values() if each.needs_model_file)
_GGUF = ".gguf"
_URL = "http://localhost:8000/v1"


@dataclass(frozen=True)
class Choice:
    """An engine, and in words why it was chosen ("": it was asked for). `missing`: it is not installed.

    `option` is by what another can be chosen ("": by nothing).
    """

    engine: str
    why: str = ""
    missing: bool = False
    option: str = ""

    @property
    def line(self) -> str:
        """The choice as one line."""
        other = f"; choose another by {self.option}" if self.option else ""
        return f"engine: {self.engine} ({self.why}){other}" if self.why else ""

    def require_installed(self) -> None:
        """Raise OptionInvalid, which says what to install, where it is missing."""
        if self.missing:
            raise OptionInvalid(
                f"the model needs the engine {self.engine} ({self.why}):"
                f" {BUILT_IN[self.engine].packaging.installation},"
                " or take a GGUF file, as in hf://ORG/NAME/FILE.gguf"
            )


def chosen(
    asked: ServedOptions, describe: Callable[[], Description | None], spelled: Spelling = OPTIMIZE
) -> Choice:
    """Return the engine for what is `asked`; raises OptionInvalid.

    `describe` returns what is installed on the machine that will run it, None where nobody knows. It is
    called only where that decides.
    """
    choice = _chosen(asked, describe, spelled)
    return replace(choice, option=spelled("engine")) if "engine" in spelled else choice


def _chosen(asked: ServedOptions, describe: Callable[[], Description | None], spelled: Spelling) -> Choice:
    if asked.engine is not None and (url := usual_endpoint(asked.engine)):
        raise OptionInvalid(
            f"{labelled(spelled('engine'), asked.engine)}: a server that runs already is asked by its"
            f" address: {_by_address(url, spelled)}"
        )
    if asked.endpoint is not None or asked.engine == ENDPOINT_ENGINE:
        return _endpoint(asked, spelled)
    if asked.engine is not None:
        return Choice(asked.engine)
    source = model_source(asked.model, spelled)
    kind = _kind(labelled(spelled("model"), asked.model), source)
    if kind == _GGUF:
        return Choice(GGUF_ENGINE, "the model is a GGUF file")
    return _for_repository(kind, describe())


def _by_address(url: str, spelled: Spelling) -> str:
    if "endpoint" not in spelled:
        return _in_a_manifest(url)
    return (
        f"leave it out, and give {spelled('endpoint')} {url} and the server's own name of the model as"
        f" {spelled('endpoint_model')}"
    )


def _in_a_manifest(url: str) -> str:
    return f'in a manifest, as in engine: {{name: {ENDPOINT_ENGINE}, endpoint: {{url: "{url}"}}}}'


def _endpoint(asked: ServedOptions, spelled: Spelling) -> Choice:
    if asked.engine not in {None, ENDPOINT_ENGINE}:
        raise OptionInvalid(
            f"{labelled(spelled('engine'), asked.engine)}: {spelled('endpoint')} goes with the engine"
            f" {ENDPOINT_ENGINE} only"
        )
    if asked.endpoint is None:
        advice = f"as in {spelled('endpoint')} {_URL}" if "endpoint" in spelled else _in_a_manifest(_URL)
        raise OptionInvalid(
            f"{labelled(spelled('engine'), ENDPOINT_ENGINE)}: give the address of the server, {advice}"
        )
    why = "" if asked.engine else f"{spelled('endpoint')} names a server that runs already"
    return Choice(ENDPOINT_ENGINE, why)


def _kind(label: str, source: str) -> str:
    """Return `.gguf`, or in words what else the model is; `label` is how messages call it."""
    scheme, _, rest = source.partition("://")
    name = rest.partition("@")[0] if scheme == "hf" else rest
    if name.lower().endswith(_GGUF):
        return _GGUF
    if scheme == "hf" and name.lower().endswith("-gguf"):
        raise OptionInvalid(
            f"{label}: a repository of GGUF files: name one of them, as in hf://{name}/FILE.gguf"
        )
    if scheme == "file" and (files := _only_gguf_files(Path(rest))):
        raise OptionInvalid(f"{label}: a folder of GGUF files: name one of them: {', '.join(files)}")
    if scheme == "file" and is_file(rest):
        raise OptionInvalid(f"{label}: expected a .gguf file, or a folder with config.json and weights")
    return "a hub repository" if scheme == "hf" else "a folder of weights"


def _only_gguf_files(folder: Path) -> tuple[str, ...]:
    if not is_dir(folder) or exists(folder / "config.json"):
        return ()
    return tuple(str(file) for file in sorted(folder.glob(f"*{_GGUF}")))


def _for_repository(kind: str, found: Description | None) -> Choice:
    on_gpus, general = _of_repositories(on_gpus=True), _of_repositories(on_gpus=False)[0]
    if found is None:
        return Choice(general, f"the model is {kind}, and no GPU is known of")
    has_gpu = bool(found.gpu_devices)
    installed = [engine for engine in on_gpus if found.has(engine)]
    if installed and has_gpu:
        return Choice(installed[0], f"the model is {kind}, and a GPU is here")
    reason = f"{' and '.join(on_gpus)} are not installed" if has_gpu else "no GPU is here"
    missing = not found.has(general)
    also = f", {general} is not installed" if missing else ""
    return Choice(general, f"the model is {kind}, {reason}{also}", missing=missing)


def _of_repositories(*, on_gpus: bool) -> list[str]:
    """Return the engines that serve a whole repository: those for GPUs alone, or the others."""
    engines = (each for each in BUILT_IN.values() if not (each.needs_model_file or each.asks_endpoint))
    return [each.name for each in engines if each.needs_gpu({}) is on_gpus]
