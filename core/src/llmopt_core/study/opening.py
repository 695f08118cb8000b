"""A resource's own study, made where it is not there yet: by whoever comes first, operator or runner."""

from llmopt_core.resources import Resource
from llmopt_core.study.definitions import define_study, resource_name
from llmopt_core.study.others import from_others
from llmopt_core.study.storage import Completion, Storage
from llmopt_core.study.studies import Study


def own_study(storage: Storage, resource: Resource) -> Study:
    """Open the study of `resource`, made if need be; studies it learns from are in the same storage.

    Raises what the definition and the creation of a study raise, WarmStartInvalid and ReferenceInvalid.
    """
    return storage.create_study(define_study(resource), _others(storage, resource))


def add_own_study(storage: Storage, resource: Resource) -> bool:
    """Make the study of `resource`; False where it is there. Raises what `own_study` raises."""
    return storage.add_study(define_study(resource), _others(storage, resource))


def _others(storage: Storage, resource: Resource) -> Completion:
    def another(name: str) -> Study:
        return storage.newest_study(resource_name(resource, name))

    return from_others(resource, another)
