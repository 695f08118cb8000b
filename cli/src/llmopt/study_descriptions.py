"""What to find out, said in Python: a manifest, or a model and a few options, as one document."""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict

from llmopt.keyword_checks import is_flag, timeout_seconds
from llmopt.machine.descriptions import Description as Machine
from llmopt.manifest_checks import InputInvalid, checked, require_usable
from llmopt.manifests import OptionInvalid, as_option_faults
from llmopt.manifests.plain_documents import plain_document
from llmopt.manifests.spellings import keywords
from llmopt.option_labels import labelled
from llmopt.options import Options
from llmopt.path_checks import is_file
from llmopt.starting.drafts import optimization
from llmopt.starting.items import written_items
from llmopt_core.errors.files import file_problem
from llmopt_core.resources import ManifestInvalid, Resource
from llmopt_core.resources.faults import did_you_mean
from llmopt_core.resources.loading import document_of

SOURCE = "<manifest>"
# Of the timeout, what the study may plan with; the rest is for ending gracefully.
PLANNED_SHARE = 0.9


# A manifest as a mapping, as YAML text or as a file's Path; it stands for all that describes the study.
Manifest = Mapping[str, Any] | str | Path
Items = Sequence[Mapping[str, Any]]


class Description(TypedDict, total=False):
    """What describes a study beside the model, where there is no manifest.

    `dataset` is a name, a .jsonl or .csv path or a list of items (mappings with question and answer),
    `method` the sampler, `timeout` in seconds what it may take, an objective is `METRIC` or
    `METRIC:minimize`, a constraint `METRIC>=NUMBER`, `METRIC<=NUMBER` or a change such as
    `METRIC<=baseline+10%`. `preset` is what the search is for (balanced, accuracy, creativity, speed);
    `repeats` is how often the best and the baseline are verified, and `confirm=False` leaves that out. The
    engine is chosen by the model unless it is given; `endpoint` is the address of a server that runs already,
    and `endpoint_model` what that calls the model.
    """

    dataset: str | Path | Items
    trials: int
    method: str
    preset: str | None
    constraints: str | Sequence[str]
    repeats: int | None
    confirm: bool
    max_tokens: int | None
    timeout: float | None
    safe: bool
    engine: str | None
    endpoint: str | None
    endpoint_model: str | None
    objectives: str | Sequence[str]
    concurrency: int | None
    samples: int
    name: str | None


@dataclass(frozen=True)
class Caller:
    """Whom a description is made for: the function's `name`, and what it can do with it.

    `describe` returns what is installed where the study will run (None: nobody knows). `say` gets what
    was chosen. `items` is the folder for data sets that are given as lists; None: it takes none.
    """

    name: str
    describe: Callable[[], Machine | None] = lambda: None
    say: Callable[[str], None] = lambda _: None
    items: Path | None = None
    own_evaluator: bool = False


@dataclass(frozen=True)
class Described:
    """The document of a study, and how its faults are reported."""

    document: dict[str, Any]
    from_options: bool = field(default=False)

    def checked(self, text: str) -> Resource:
        """Return the resource that `text`, the document as YAML, is; raises InputInvalid or OptionInvalid."""
        with self._reported():
            return checked(text, SOURCE)

    def require_usable(self, resource: Resource, text: str, command: tuple[str, ...] | None) -> None:
        """Raise InputInvalid or OptionInvalid where `resource` names what cannot be used on this machine.

        `command` is as in `manifest_checks.require_usable`. Raises RunnerUnusable as well.
        """
        with self._reported():
            require_usable(resource, text, SOURCE, command)

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except InputInvalid as error:
            if self.from_options:
                raise as_option_faults((one.fault for one in error.faults), _SPELLED) from error
            raise


def require_known(given: Iterable[str], keywords: Iterable[str], function: Callable[..., object]) -> None:
    """Raise OptionInvalid where `function`, which takes `keywords` and parameters, has no `given` one."""
    parameters = inspect.signature(function).parameters.values()
    own = {each.name for each in parameters if each.kind is not each.VAR_KEYWORD}
    names = sorted(own.union(keywords))
    for name in given:
        if name not in names:
            raise OptionInvalid(
                f"{function.__name__}() has no argument {name!r}: {did_you_mean(name, names)}"
            )


def described(
    model: str | None, manifest: Manifest | None, description: Mapping[str, Any], caller: Caller
) -> Described:
    """Return what `manifest`, or `model` with `description`, stands for.

    Raises OptionInvalid, InputInvalid and RunnerUnusable.
    """
    if (model is None) == (manifest is None):
        raise OptionInvalid(f"{caller.name}() takes either a model or manifest=, one of the two")
    if manifest is None:
        return Described(_plain(_built(str(model), description, caller), _of_options), from_options=True)
    _require_manifest_alone(description, caller.name)
    if isinstance(manifest, Mapping):
        return Described(_plain(manifest, _of_manifest))
    text = _text(manifest)
    checked(text, str(manifest) if isinstance(manifest, Path) else SOURCE)
    return Described(document_of(text))


def _plain(
    document: Mapping[Any, Any], reported: Callable[[ManifestInvalid], OptionInvalid]
) -> dict[str, Any]:
    """Return `document` as YAML can hold it; what it cannot hold is `reported`."""
    try:
        return plain_document(document)
    except ManifestInvalid as error:
        raise reported(error) from error


def _of_options(error: ManifestInvalid) -> OptionInvalid:
    return as_option_faults(error.faults, _SPELLED)


def _of_manifest(error: ManifestInvalid) -> OptionInvalid:
    return OptionInvalid(f"{SOURCE}: {error}")


def _text(manifest: object) -> str:
    """Return the YAML text of a file's Path, or the text itself; raises OptionInvalid."""
    if isinstance(manifest, Path):
        return _content(manifest)
    if not isinstance(manifest, str):
        raise OptionInvalid(f"{labelled('manifest', manifest)}: expected a mapping, YAML text or a Path")
    if _is_name_of_file(manifest):
        raise OptionInvalid(
            f"{labelled('manifest', manifest)}: text is taken as YAML: give a file as Path({manifest!r})"
        )
    return manifest


def _is_name_of_file(text: str) -> bool:
    one_line = "\n" not in text.strip()
    return one_line and (text.strip().endswith(_ENDINGS) or is_file(text))


def _content(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise OptionInvalid(f"manifest: {file_problem(error, path)}") from error


def _require_manifest_alone(description: Mapping[str, Any], caller: str) -> None:
    """Refuse what the manifest would overrule without a word; `timeout` also stops the runners."""
    for name in Description.__optional_keys__ - {"timeout"}:
        if description.get(name) is not None:
            raise OptionInvalid(
                f"{caller}(): {name}= describes a study in place of manifest=: write it into the manifest"
            )


def _built(model: str, description: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
    options = _options(model, description, caller)
    draft = optimization(options, caller.describe, _SPELLED, own_evaluator=caller.own_evaluator)
    draft.require_installed()
    for line in draft.lines:
        caller.say(line)
    return draft.document


def _options(model: str, description: Mapping[str, Any], caller: Caller) -> Options:
    fields = {name: description[name] for name in _OPTION_NAMES if name in description}
    if "dataset" in fields:
        fields["dataset"] = _dataset(fields["dataset"], caller)
    for name in _LISTS_OF_TEXTS & fields.keys():
        fields[name] = _texts(name, fields[name])
    for name in _TEXTS & fields.keys():
        if not isinstance(fields[name], str | None):
            raise OptionInvalid(f"{labelled(name, fields[name])}: expected text")
    for name in _FLAGS & fields.keys():
        if not is_flag(fields[name]):
            raise OptionInvalid(f"{labelled(name, fields[name])}: expected True or False")
    return Options(model=model, timeout=_planned(description.get("timeout")), **fields)


def _texts(name: str, given: object) -> list[str] | None:
    if given is None or isinstance(given, str):
        return None if given is None else [given]
    entries = list(given) if isinstance(given, Sequence) else [given]
    texts = [each for each in entries if isinstance(each, str)]
    if len(texts) != len(entries):
        raise OptionInvalid(
            f"{labelled(name, given)}: expected text, or a list of texts, such as {_EXAMPLES[name]!r}"
        )
    return texts


def _planned(timeout: object) -> str | None:
    seconds = timeout_seconds(timeout)
    return None if seconds is None else f"{max(1, int(seconds * PLANNED_SHARE))}s"


def _dataset(given: object, caller: Caller) -> str:
    if isinstance(given, str):
        return given
    if isinstance(given, Path):
        return str(given.resolve())
    if caller.items is None:
        raise OptionInvalid(
            f"dataset: {caller.name}() takes no list of items: put them into a ConfigMap, and name it in a"
            " manifest by workload.dataset.configMapKeyRef"
        )
    return str(written_items(given, caller.items))


_EXAMPLES = {"objectives": ["accuracy", "requests_per_second"], "constraints": ["accuracy>=0.6"]}
# What the name of a manifest's file ends with.
_ENDINGS = (".yaml", ".yml", ".json")
_LISTS_OF_TEXTS = frozenset(_EXAMPLES)
_FLAGS = frozenset({"confirm", "safe"})
_TEXTS = frozenset({"endpoint", "endpoint_model", "engine", "method", "name", "preset"})
_SPELLED = keywords({"model", *Description.__optional_keys__})
_OPTION_NAMES = tuple(sorted(Description.__optional_keys__ - {"timeout"}))
