"""A resource's own study, made by the operator or a runner, whichever comes first."""

from llmopt_core.resources import Resource
from llmopt_core.sampling.checks import check_sampler
from llmopt_core.sampling.others import from_others
from llmopt_core.storage.definitions import define_study, resource_name
from llmopt_core.storage.records import StudyDefinition
from llmopt_core.storage.storages import Completion, Storage
from llmopt_core.storage.studies import Study


def own_study(storage: Storage, resource: Resource) -> Study:
    """Open the study of `resource`, made if need be; studies it learns from are in the same storage.

    Raises what the definition and the creation of a study raise, SamplerUnavailable where the sampler cannot
    handle the space or the objectives, WarmStartInvalid and ReferenceInvalid.
    """
    return storage.create_study(_definition(resource), _others(storage, resource))


def add_own_study(storage: Storage, resource: Resource) -> bool:
    """Make the study of `resource`; False where it is there. Raises what `own_study` raises."""
    return storage.add_study(_definition(resource), _others(storage, resource))


def _definition(resource: Resource) -> StudyDefinition:
    definition = define_study(resource)
    check_sampler(definition)
    return definition


def _others(storage: Storage, resource: Resource) -> Completion:
    def another(name: str) -> Study:
        return storage.newest_study(resource_name(resource, name))

    return from_others(resource, another)
