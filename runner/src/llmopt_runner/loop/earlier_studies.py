"""Where a runner finds earlier studies: in its study's database, or in the results folders beside its own."""

from contextlib import ExitStack
from functools import partial
from pathlib import Path

from llmopt_core.resources import LLMOptimization, Resource
from llmopt_core.sampling.earlier_studies import LIMITS, MOST_LOOKED_AT, Elsewhere, settle_lessons
from llmopt_core.storage.definitions import resource_name
from llmopt_core.storage.errors import StudyNotFound
from llmopt_core.storage.storages import Storage, open_storage
from llmopt_core.storage.studies import Study

_SQLITE = "sqlite:///"


def learn_from_others(study: Study, resource: Resource, url: str, results: Path, machine: str) -> None:
    """Settle what `study`, which is stored at `url`, learns from, unless its manifest wants nothing of it.

    Where its database lies in the folder `results`, other studies lie in the folders beside that one.
    """
    if not isinstance(resource, LLMOptimization) or resource.spec.search.transfer == "none":
        return
    with ExitStack() as opened:
        database = Path(url.removeprefix(_SQLITE))
        if url.startswith(_SQLITE) and database.parent.resolve() == results.resolve():
            others = _beside(opened, resource, database)
        else:
            others = _stored(opened.enter_context(open_storage(url, LIMITS)), resource)
        settle_lessons(study, machine, others)


def _stored(storage: Storage, resource: LLMOptimization) -> Elsewhere:
    """Return the studies in `storage` of optimizations in the same namespace."""
    names = storage.ended_optimizations(_namespace(resource), MOST_LOOKED_AT)
    return Elsewhere(
        tuple(
            partial(storage.newest_study, resource_name(resource, each.name))
            for each in resource.spec.search.warm_start_from
        ),
        tuple(partial(storage.open_study, name) for name in names),
    )


def _beside(opened: ExitStack, resource: LLMOptimization, database: Path) -> Elsewhere:
    """Return the studies in the results folders beside that of `database`, which are named as the studies."""
    own = database.parent.resolve()

    def storage_of(folder: Path) -> Storage:
        path = folder / database.name
        if not path.is_file():
            raise StudyNotFound(f"there is no {path}")
        return opened.enter_context(open_storage(f"{_SQLITE}{path}", LIMITS))

    def named(name: str) -> Study:
        return storage_of(own.with_name(name)).newest_study(resource_name(resource, name))

    def finished(folder: Path) -> Study:
        storage = storage_of(folder)
        if folder.name not in storage.ended_optimizations(_namespace(resource), MOST_LOOKED_AT):
            raise StudyNotFound(f"{folder} holds no study of its name that has ended")
        return storage.open_study(folder.name)

    folders = [path.parent for path in own.parent.glob(f"*/{database.name}") if path.parent != own]
    newest = sorted(folders, key=lambda folder: (folder / database.name).stat().st_mtime, reverse=True)
    return Elsewhere(
        tuple(partial(named, each.name) for each in resource.spec.search.warm_start_from),
        tuple(partial(finished, folder) for folder in newest[:MOST_LOOKED_AT]),
    )


def _namespace(resource: LLMOptimization) -> str:
    return resource_name(resource).partition("/")[0]
