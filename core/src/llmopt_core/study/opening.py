"""A resource's own study, made where it is not there yet: by whoever comes first, operator or runner."""

from llmopt_core.resources.optimization import LLMOptimization
from llmopt_core.study.definitions import define_study, resource_name
from llmopt_core.study.storage import Storage
from llmopt_core.study.studies import Study
from llmopt_core.study.warm_starts import warm_starts


def own_study(storage: Storage, resource: LLMOptimization) -> Study:
    """Open the study of `resource`, made if need be; studies it starts from are in the same storage.

    Raises what the definition and the creation of a study raise, and WarmStartInvalid.
    """

    def another(name: str) -> Study:
        return storage.newest_study(resource_name(resource, name))

    definition = define_study(resource)
    return storage.create_study(definition, warm_starts(resource, definition.space, another))
