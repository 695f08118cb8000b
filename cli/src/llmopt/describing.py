"""What to find out, said in Python: a manifest, or a model and a few options, as one document."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

import yaml

from llmopt.checking import checked
from llmopt.manifests import OptionInvalid, build
from llmopt.options import Options

SOURCE = "<manifest>"
# Of the timeout, what the study may plan with; the rest is for ending in order.
PLANNED_SHARE = 0.9


# A manifest as a mapping, as YAML text or as a file's Path; it stands for all that describes the study.
Manifest = Mapping[str, Any] | str | Path


class Description(TypedDict, total=False):
    """What describes a study beside the model, where there is no manifest.

    `dataset` is a name or a .jsonl path, `method` the sampler, `timeout` in seconds what it may take, an
    objective is `METRIC` or `METRIC:minimize`.
    """

    dataset: str
    trials: int
    method: str
    timeout: float | None
    safe: bool
    engine: str
    objectives: Sequence[str]
    concurrency: int | None
    samples: int
    name: str | None


def described(
    model: str | None,
    manifest: Manifest | None,
    description: Mapping[str, Any],
    *,
    caller: str,
    own_evaluator: bool = False,
) -> dict[str, Any]:
    """Return the document that `manifest`, or `model` with `description`, stands for.

    `caller` is the function's name for messages. Raises OptionInvalid, InputInvalid and OSError.
    """
    if (model is None) == (manifest is None):
        raise OptionInvalid(f"{caller}() takes either a model or manifest=, one of the two")
    if manifest is None:
        return build(_options(str(model), description), own_evaluator=own_evaluator)
    if isinstance(manifest, Mapping):
        return dict(manifest)
    text = manifest.read_text(encoding="utf-8") if isinstance(manifest, Path) else manifest
    checked(text, str(manifest) if isinstance(manifest, Path) else SOURCE)
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


def _options(model: str, description: Mapping[str, Any]) -> Options:
    fields = {name: description[name] for name in _OPTION_NAMES if name in description}
    timeout = description.get("timeout")
    planned = None if timeout is None else f"{max(1, int(timeout * PLANNED_SHARE))}s"
    return Options(model=model, timeout=planned, **fields)


_OPTION_NAMES = (
    "dataset", "trials", "method", "safe", "engine", "objectives", "concurrency", "samples", "name",
)  # fmt: skip
