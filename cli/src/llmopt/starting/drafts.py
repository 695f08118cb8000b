"""Manifests from options, with the engine that was chosen for each model: the one way for all commands."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from llmopt.machine.descriptions import Description
from llmopt.manifests import OptionInvalid, benchmarks, optimizations
from llmopt.manifests.documents import default_name
from llmopt.manifests.served_models import Served, model_source
from llmopt.manifests.spellings import BENCHMARK, COMPARE, ONLY_MODEL, OPTIMIZE, Spelling
from llmopt.named_models.registry import find_model
from llmopt.option_labels import labelled
from llmopt.options import BenchmarkOptions, CompareOptions, Options, ServedOptions
from llmopt.starting.engines import Choice, chosen

# Returns what is installed on the machine that will run the study, None where nobody knows.
Describe = Callable[[], Description | None]
_MOST_MODELS = 16


@dataclass(frozen=True)
class Draft:
    """A manifest's document, and the engine that was chosen for each model ("": the only one)."""

    document: dict[str, Any]
    choices: tuple[tuple[str, Choice], ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """What was chosen, a line each."""
        return tuple(
            f"{model}: {choice.line}" if model else choice.line
            for model, choice in self.choices
            if choice.line
        )

    def require_installed(self) -> None:
        """Raise OptionInvalid, which says what to install, where an engine is missing."""
        for _, choice in self.choices:
            choice.require_installed()


def optimization(
    asked: Options, describe: Describe, spelled: Spelling = OPTIMIZE, *, own_evaluator: bool = False
) -> Draft:
    """Return the search that is `asked` for; raises OptionInvalid.

    `own_evaluator`: a function of the caller scores answers.
    """
    found, choice = served(asked, describe, spelled)
    document = optimizations.optimization(asked, found, spelled, own_evaluator=own_evaluator)
    return Draft(document, (("", choice),))


def benchmark(asked: BenchmarkOptions, describe: Describe) -> Draft:
    """Return the benchmark of one model that is `asked` for; raises OptionInvalid."""
    found, choice = served(asked, describe, BENCHMARK)
    return Draft(benchmarks.benchmark(asked, found), (("", choice),))


def comparison(asked: CompareOptions, describe: Describe) -> Draft:
    """Return the benchmark of several models that is `asked` for; raises OptionInvalid."""
    models = asked.models or []
    if not 1 < len(models) <= _MOST_MODELS:
        raise OptionInvalid(
            f"{labelled('--models', ' '.join(models))}:"
            f" expected 2 to {_MOST_MODELS} models; one alone is what"
            " `llmopt benchmark --model` measures"
        )
    once = cache(describe)
    found = [served(ServedOptions(model=model, engine=asked.engine), once, COMPARE) for model in models]
    names = tuple(benchmarks.candidate_names(models))
    document = benchmarks.comparison(
        asked, [(name, one) for name, (one, _) in zip(names, found, strict=True)]
    )
    return Draft(document, tuple(zip(names, (choice for _, choice in found), strict=True)))


def for_model(document: Mapping[str, Any], model: str, describe: Describe) -> Draft:
    """Return the valid manifest `document` for another model; raises OptionInvalid.

    What it says of its engine stays where the model is served by the same one, but for what the model's name
    stands for. The study is called after both, for it is another one.
    """
    spec, name = document["spec"], document["metadata"]["name"]
    if "model" not in spec or "engine" not in spec:
        raise OptionInvalid(
            f"{labelled('--model', model)}: the candidates of {name} have models of their own: change those"
        )
    found, choice = served(ServedOptions(model=model), describe, ONLY_MODEL)
    engine, given = found.engine_part, spec["engine"]
    if given["name"] == found.engine:
        engine = {**given, **engine, "args": {**given.get("args", {}), **found.args}}
    return Draft(
        {
            **document,
            "metadata": {**document["metadata"], "name": default_name(name, model)},
            "spec": {**spec, "model": found.model_part, "engine": engine},
        },
        (("", choice),),
    )


def served(asked: ServedOptions, describe: Describe, spelled: Spelling) -> tuple[Served, Choice]:
    """Return the model that is `asked` for, by its name or by its source, with the engine that serves it."""
    named = find_model(asked.model, spelled)
    if named is None:
        choice = chosen(asked, describe, spelled)
        return Served(_source(asked, spelled), choice.engine, endpoint=_endpoint(asked, spelled)), choice
    places = named.spelled(spelled)
    if asked.engine is None:
        choice = chosen(replace(asked, model=named.source, engine=named.model.engine), describe, places)
    else:
        choice = chosen(replace(asked, model=named.source), describe, spelled)
    found = Served(
        named.source,
        choice.engine,
        named.arguments(choice.engine),
        _endpoint(asked, spelled),
        trust_remote_code=named.model.trust_remote_code,
    )
    return found, choice


def _source(asked: ServedOptions, spelled: Spelling) -> str:
    try:
        return model_source(asked.model, spelled)
    except OptionInvalid as error:
        if asked.endpoint is None:
            raise
        raise OptionInvalid(
            f"{labelled(spelled('model'), asked.model)}: name the weights that the server has, as"
            f" ORG/NAME; what the server itself calls them is {spelled('endpoint_model')}"
        ) from error


def _endpoint(asked: ServedOptions, spelled: Spelling) -> dict[str, str]:
    if asked.endpoint is None:
        if asked.endpoint_model is not None:
            raise OptionInvalid(
                f"{labelled(spelled('endpoint_model'), asked.endpoint_model)}: it is a name at a server that"
                f" runs already: give the server's address too, as in {spelled('endpoint')} http://localhost:8000/v1"
            )
        return {}
    model = {"model": asked.endpoint_model} if asked.endpoint_model else {}
    return {"url": asked.endpoint, **model}
