"""What requests call the model: the name in the server's listing, or the manifest's where that is answered.

Public servers list no models at all, only some of them, or none to this key, and serve them all the same.
"""

from llmopt_runner.engines.base import Engine, LaunchSettings, model_ids
from llmopt_runner.engines.failures import EndpointUnreachable
from llmopt_runner.engines.probing import NotReady, Probe, Refused

# The last look gets a fair time too: what it says is the reason that a person reads.
_SHORTEST_LOOK_SECONDS, _LONGEST_LOOK_SECONDS = 2.0, 5.0
# Answers of a server that has no listing, or none for this key; 200 is a page that is none.
_NO_LISTING = frozenset({200, 400, 401, 403, 404, 405, 501})
_REFUSED_ACCESS = frozenset({401, 403})
_NOBODYS_MODEL = "llmopt-asks-for-a-model-that-is-not-there"


def model_to_ask_for(
    engine: Engine, settings: LaunchSettings, probe: Probe, seconds: float, answer_seconds: float
) -> str:
    """Return what requests call the model of `settings` at the server that `probe` asks.

    The listing has about `seconds`, a completion in its place `answer_seconds`.

    Raises:
        NotReady: it does not answer, or does not serve that model yet.
        Refused: it denies access.
        EndpointUnreachable: it serves no such model, or answers for any name.
        EndpointAmbiguous: see `Engine.served_name`.
    """
    unlisted = engine.asked_unlisted(settings)
    try:
        models = probe.models(min(max(seconds, _SHORTEST_LOOK_SECONDS), _LONGEST_LOOK_SECONDS))
    except (NotReady, Refused) as error:
        if unlisted is None or error.status not in _NO_LISTING:
            raise
        _require_answer(probe, unlisted, str(error), answer_seconds)
        return unlisted
    if (listed := engine.served_name(models, settings)) is not None:
        return listed
    found = model_ids(models)
    name = unlisted or engine.model_name(settings)
    lacks = f"its listing names no model {name!r}; it has {', '.join(found) or 'none'}"
    if unlisted is None:
        raise NotReady(lacks)
    _require_answer(probe, unlisted, lacks, answer_seconds)
    if found:
        _require_refusal(probe, unlisted, lacks, seconds)
    return unlisted


def _require_answer(probe: Probe, model: str, listing: str, seconds: float) -> None:
    """Ask for a completion without any parameter, whose refusal would have another cause."""
    try:
        probe.complete(model, {}, seconds)
    except Refused as refusal:
        if refusal.status in _REFUSED_ACCESS:
            raise
        raise EndpointUnreachable(
            f"{probe.shown} does not serve {model!r}: {listing}, and {refusal}"
        ) from refusal


def _require_refusal(probe: Probe, model: str, listing: str, seconds: float) -> None:
    """A server that answers for any name says nothing of this one by its answer."""
    try:
        probe.complete(_NOBODYS_MODEL, {}, seconds)
    except (NotReady, Refused):
        return
    raise EndpointUnreachable(
        f"{probe.shown} may not serve {model!r}: {listing}, and it answers whatever model is asked for"
    )
