"""What is looked at only before runners are started: images, Secrets' labels, what candidates refer to."""

from collections.abc import Mapping
from typing import Any

from llmopt_core.api.kinds import Kind
from llmopt_core.api.reasons import Reason
from llmopt_core.resources import LLMBenchmark, LLMOptimization, Resource
from llmopt_operator.adapters.kubernetes import Cluster, Forbidden, NotFound, collection
from llmopt_operator.domain.contents import Referenced, secret_references
from llmopt_operator.domain.images import images_of
from llmopt_operator.domain.observed import Observed, Problem
from llmopt_operator.domain.policies import denial
from llmopt_operator.reconciling.acceptance import Acceptances, Accepted
from llmopt_operator.reconciling.observations import Observations
from llmopt_operator.settings import OperatorSettings
from llmopt_operator.specs.names import Key


class Admission:
    """Says why runners of a resource are not started; what runs already is not asked again."""

    def __init__(
        self,
        cluster: Cluster,
        settings: OperatorSettings,
        observations: Observations,
        acceptances: Acceptances,
    ) -> None:
        self._cluster = cluster
        self._settings = settings
        self._observations = observations
        self._acceptances = acceptances

    async def problem(self, key: Key, document: Mapping[str, Any], observed: Observed) -> Problem | None:
        """Return why no runners are started for an accepted resource, None where they may be, or need not be.

        May raise ApiError.
        """
        study = observed.study
        if observed.job is not None or observed.target.suspend or (study is not None and study.ended):
            return None
        resource = self._acceptances.resource(document)
        return await self._problem(key.namespace, resource, self.referenced(key, resource))

    def referenced(self, key: Key, resource: Resource) -> Referenced:
        """Return the optimizations that candidates refer to, as far as they are there."""
        candidates = resource.spec.candidates if isinstance(resource, LLMBenchmark) else ()
        names = {each.optimization_ref.name for each in candidates if each.optimization_ref}
        found: dict[str, LLMOptimization] = {}
        for name in names:
            document = self._observations.of(Key(Kind.OPTIMIZATION, key.namespace, name)).document
            if document is None or self._acceptances.is_invalid(document):
                continue
            known = self._acceptances.resource(document)
            if isinstance(known, LLMOptimization):
                found[name] = known
        return found

    async def _problem(self, namespace: str, resource: Resource, referenced: Referenced) -> Problem | None:
        rollouts = self._settings.rollout.enabled
        return (
            denial(resource, self._settings.policy, referenced, rollouts=rollouts)
            or images_problem(resource, referenced, self._settings)
            or await self._secrets(namespace, resource, referenced)
        )

    async def _secrets(self, namespace: str, resource: Resource, referenced: Referenced) -> Problem | None:
        wanted = self._settings.policy.secret_labels
        for path, name in secret_references(resource, referenced) if wanted else ():
            where = f"Secret {namespace}/{name}"
            text = self._settings.policy.secret_selector
            try:
                found = await self._cluster.metadata(f"{collection('v1', 'secrets', namespace)}/{name}")
            except NotFound:
                return Problem(
                    Reason.SECRET_NOT_FOUND, f"{path}: {where} does not exist: create it, labelled {text}"
                )
            except Forbidden as error:
                return Problem(
                    Reason.SECRET_NOT_ALLOWED, f"{path}: the labels of {where} may not be read: {error}"
                )
            if not wanted.items() <= (found.get("labels") or {}).items():
                command = f"kubectl label secret {name} --namespace {namespace} {text.replace(',', ' ')}"
                return Problem(
                    Reason.SECRET_NOT_ALLOWED,
                    f"{path}: {where} may not be used by runners; to allow it: {command}",
                )
        return None


def is_admitted_already(observed: Observed, accepted: Accepted) -> bool:
    """Say whether runners were started before the rules became what they are: those judge what is started.

    The rules are the policy and what manifests are checked for; a later version may be stricter.
    """
    rejected = accepted.rejection is not None and accepted.readable
    return rejected and observed.job is not None and not observed.was_ended


def images_problem(resource: Resource, referenced: Referenced, settings: OperatorSettings) -> Problem | None:
    """Return why one Job cannot run all engines of `resource`, None where it can."""
    images = images_of(resource, referenced, settings)
    if missing := [engine for engine, image in images.items() if not image]:
        text = (
            f"spec.engine.name: llmopt makes no image with {', '.join(missing)}: name one that has it and"
            " llmopt-runner in spec.runners.image, or in the operator's settings.images"
        )
        return Problem(Reason.IMAGE_MISSING, text)
    if len(set(images.values())) == 1:
        return None
    needed = ", ".join(f"{engine} needs {image}" for engine, image in images.items())
    text = (
        f"spec.candidates: one Job runs all candidates, from one image, and {needed}: name an image that"
        " holds all of these engines in spec.runners.image, or write one benchmark for each"
    )
    return Problem(Reason.IMAGES_DIFFER, text)
