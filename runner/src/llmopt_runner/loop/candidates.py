"""Runs the repeats of a comparison: each candidate on its own model and engine, one engine at a time."""

from collections.abc import Mapping, Sequence

from llmopt_core.api.environment import Variable, of_candidate
from llmopt_core.errors.classes import LlmoptError
from llmopt_core.resources.benchmark import BenchmarkSpec
from llmopt_core.resources.serving import Engine, Model
from llmopt_core.search.configurations import Configuration
from llmopt_core.storage.records import CandidateDefinition, Claim, Outcome, Serving, TrialRecord
from llmopt_runner.engine_slot.slot import EngineSlot
from llmopt_runner.loop.assembly import Served, Shared
from llmopt_runner.stopping import Interrupted
from llmopt_runner.trial.outcomes import failed
from llmopt_runner.trial.trial_runner import TrialRunner


class CandidateRunners:
    """One trial runner a candidate, made when first needed; what keeps it from being made fails its trial."""

    def __init__(
        self, candidates: Sequence[CandidateDefinition], common: Shared, key_owner: str | None
    ) -> None:
        """Keep what is compared; `key_owner` is the endpoint that the shared key was given for."""
        self._candidates = candidates
        self._common = common
        self._key_owner = key_owner
        self._runners: dict[int, TrialRunner] = {}
        self._slots: list[tuple[Served, EngineSlot]] = []
        self._current: EngineSlot | None = None
        self.stopping = common.stopping
        self.progress = common.progress

    def run(self, claim: Claim) -> Outcome:
        """Return how the repeat ended; raises Interrupted when the runner was asked to stop."""
        try:
            runner = self._runner(claim.candidate or 0)
        except Interrupted:
            raise
        except LlmoptError as error:  # its model or its engine is not to be had: the others' may be
            return failed(Configuration.from_flat(claim.parameters), error.failure)
        self._turn_to(runner.slot)
        return runner.run(claim)

    def close(self) -> None:
        """Stop the loaded engine, if there is one."""
        if self._current is not None:
            self._current.close()

    def _turn_to(self, slot: EngineSlot) -> None:
        if slot is not self._current:
            self.close()
        self._current = slot
        self.progress.memory = slot.memory

    def _runner(self, place: int) -> TrialRunner:
        if place not in self._runners:
            serving = self._candidates[place].serving
            assert serving is not None  # noqa: S101 - looked up when the study was made
            slot = self._slot(self._served(place))
            self._runners[place] = self._common.trial_runner(slot, serving.parameters)
        return self._runners[place]

    def _slot(self, served: Served) -> EngineSlot:
        """Return the slot of all candidates that serve the same, so that they can share a loaded engine."""
        for known, slot in self._slots:
            if known == served:
                return slot
        alike = {place for place in range(len(self._candidates)) if self._served(place) == served}

        def is_alike(trial: TrialRecord) -> bool:
            return trial.candidate in alike

        slot = self._common.slot(served, is_alike)
        self._slots.append((served, slot))
        return slot

    def _served(self, place: int) -> Served:
        candidate = self._candidates[place]
        assert candidate.serving is not None  # noqa: S101 - looked up when the study was made
        return served_by(candidate.name, candidate.serving, self._common.secrets, self._key_owner)


def served_by(name: str, serving: Serving, secrets: Mapping[str, str], key_owner: str | None) -> Served:
    """Return what the candidate `name` serves, with its own secrets or the shared ones.

    The shared key goes to the endpoint `key_owner` only: it is nobody else's to see. A model's token is for
    the hub, which is one. The settings of each engine start are no part of it.
    """
    model = Model.model_validate(serving.model)
    engine = Engine.model_validate({**serving.engine, "args": {}})
    token = secrets.get(of_candidate(Variable.MODEL_TOKEN, name)) or secrets.get(Variable.MODEL_TOKEN)
    key = secrets.get(of_candidate(Variable.ENDPOINT_API_KEY, name))
    if key is None and engine.endpoint is not None and engine.endpoint.url == key_owner:
        key = secrets.get(Variable.ENDPOINT_API_KEY)
    return Served(model, engine, token, key)


def key_owner(spec: BenchmarkSpec, candidates: Sequence[CandidateDefinition]) -> str | None:
    """Return the address of the endpoint that the shared key is for: the first that has one in a Secret.

    Where none has, as on a laptop, it is the first endpoint at all; the shared engine's comes first.
    """
    servings = [candidate.serving for candidate in candidates if candidate.serving is not None]
    engines = [spec.engine, *(Engine.model_validate(serving.engine) for serving in servings)]
    endpoints = [engine.endpoint for engine in engines if engine is not None and engine.endpoint is not None]
    with_key = (endpoint for endpoint in endpoints if endpoint.api_key_secret_ref is not None)
    owner = next(with_key, endpoints[0] if endpoints else None)
    return None if owner is None else owner.url
