"""Benchmarks made by hand: candidates, and the repeats that were measured of them."""

from fakes.records import outcome, trial

from llmopt_core.storage.records import (
    CandidateDefinition,
    ComparisonDefinition,
    ObjectiveDefinition,
    Phase,
    Serving,
)

SPEED = "output_tokens_per_second"
FASTER = ObjectiveDefinition(SPEED, "maximize")


def candidate(name, **parameters):
    """Return a candidate on llama.cpp; `parameters` are its engine's."""
    flat = {f"engine.{key}": value for key, value in parameters.items()}
    serving = Serving({"source": "package://llm/model.gguf"}, {"name": "llamacpp"}, flat)
    return CandidateDefinition(name, serving)


def comparison(*names, repeats=5, **changes):
    """Return a comparison of candidates with different slots; the first is the baseline."""
    candidates = tuple(candidate(name, n_parallel=place + 1) for place, name in enumerate(names))
    return ComparisonDefinition(candidates, names[0], repeats, **changes)


def repeat(number, place, which, ended=None, **metrics):
    """Return the trial of one repeat: `ended`, or measured with `metrics`, else running."""
    if ended is None and metrics:
        ended = outcome(metrics=metrics)
    return trial(number, ended, phase=Phase.CONFIRM, candidate=place, repeat=which)


def measured(*speeds):
    """Return the trials of all repeats; `speeds` holds each candidate's, or outcomes in their place."""
    count = len(speeds)
    return [
        repeat(which * count + place, place, which, **{SPEED: value})
        if isinstance(value, int | float)
        else repeat(which * count + place, place, which, value)
        for place, values in enumerate(speeds)
        for which, value in enumerate(values)
    ]
