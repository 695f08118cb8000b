"""A resource's own study, made where it is not there yet: by whoever comes first, operator or runner."""

from llmopt_core.resources import Resource
from llmopt_core.study.definitions import define_study, resource_name
from llmopt_core.study.others import from_others
from llmopt_core.study.storage import Storage
from llmopt_core.study.studies import Study


def own_study(storage: Storage, resource: Resource) -> Study:
    """Open the study of `resource`, made if need be; studies it learns from are in the same storage.

    Raises what the definition and the creation of a study raise, WarmStartInvalid and ReferenceInvalid.
    """

    def another(name: str) -> Study:
        return storage.newest_study(resource_name(resource, name))

    return storage.create_study(define_study(resource), from_others(resource, another))
