"""The samplers and pruners by the names of the manifest: what a runner opens a storage with."""

from llmopt_core.sampling.checks import AUTO, check_installed, check_sampler
from llmopt_core.sampling.designs import DESIGNS, DesignSampler
from llmopt_core.sampling.pruning import pruning_of
from llmopt_core.storage.access import OWNER, Access
from llmopt_core.storage.methods import Methods, Sampler
from llmopt_core.storage.records import StudyDefinition
from llmopt_core.storage.storages import Storage, open_storage


def open_for_search(url: str, access: Access = OWNER) -> Storage:
    """Open the database at `url` for a runner, which claims trials; see `open_storage`."""
    return open_storage(url, access, Methods(_sampler_of, pruning_of))


def _sampler_of(definition: StudyDefinition) -> Sampler:
    check_sampler(definition)
    if definition.sampler == AUTO:
        return _auto_sampler(definition)
    design = DESIGNS.get(definition.sampler)
    if design is None:
        from llmopt_core.sampling.history import OptunaSampler  # noqa: PLC0415 - it loads Optuna

        return OptunaSampler(definition)
    return DesignSampler(design(definition.space, definition.seed))


def _auto_sampler(definition: StudyDefinition) -> Sampler:
    check_installed(AUTO)
    from llmopt_core.sampling.auto_studies import AutoStudySampler  # noqa: PLC0415 - a second to load

    return AutoStudySampler(definition)
