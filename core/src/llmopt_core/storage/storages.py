"""A database of studies: opened, listed, and the studies in it created, opened and dropped."""

import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Self

from sqlalchemy.engine import Connection, Engine

from llmopt_core.storage.access import OWNER, Access
from llmopt_core.storage.database import Database
from llmopt_core.storage.documents import Assignment, dump, dump_definition, kept_size, load_definition
from llmopt_core.storage.errors import StudyMismatch, StudyNotFound
from llmopt_core.storage.keys import DEFINITION_KEY, END_KEY, OWNER_KEY, RESOURCE_KEY, RETENTION_KEY
from llmopt_core.storage.methods import Methods
from llmopt_core.storage.points import check_enqueued
from llmopt_core.storage.pulses import Pulse, read_pulses
from llmopt_core.storage.records import Phase, StudyDefinition
from llmopt_core.storage.repeats import assignments, plan_of
from llmopt_core.storage.rows import (
    TrialWriter,
    delete_study,
    find_ended_studies,
    find_newest_study,
    find_studies,
    find_study,
    find_study_with,
    insert_attributes,
    insert_study,
    list_studies,
)
from llmopt_core.storage.snapshot import too_large
from llmopt_core.storage.studies import DELETE, Study

# Only optimizations have it: nothing starts from a benchmark, which may bear the name of one.
# A study of ten thousand trials has a hundred thousand rows.
DROP_SECONDS = 60.0
# Adds to the definition of a new study what other studies found.
Completion = Callable[[StudyDefinition], StudyDefinition]


def open_storage(url: str, access: Access = OWNER, methods: Methods | None = None) -> "Storage":
    """Open the database at `url` (`sqlite:///PATH` or `postgresql+psycopg://…`), creating what is missing.

    `access` limits what is accepted, how long an answer may take and how much is read. Trials of a search
    can only be claimed with `methods`; see `llmopt_core.sampling.opening`.

    Raises StorageUnavailable where it does not answer, StorageUnusable where it is no study database.
    """
    return Storage(Database(url, access), methods)


class Storage:
    """All studies of one database. Safe to use from several threads; keep it open while in use."""

    def __init__(self, database: Database, methods: Methods | None = None) -> None:
        self._database = database
        self._methods = methods
        # Distinguishes this process from another one of the same runner name, in claims and heartbeats.
        self._session = uuid.uuid4().hex

    def create_study(
        self, definition: StudyDefinition, complete: Completion = lambda definition: definition
    ) -> "Study":
        """Create the study, or open it where it exists already.

        `complete` is asked only for a new study: see `from_others`. Of a comparison that exists, repeats,
        metrics and confidence become those of `definition`.

        Raises StudyMismatch where it exists with another fingerprint, StudyUnreadable where its definition
        cannot be read, EnqueueInvalid where it can never run, and what `complete` raises.
        """
        study = self._find(definition.name)
        if study is None:
            self.add_study(definition, complete)
            study = self.open_study(definition.name)
        if study.definition.fingerprint != definition.fingerprint:
            raise StudyMismatch(
                f"study {definition.name!r} exists with other settings (fingerprint "
                f"{study.definition.fingerprint}, now {definition.fingerprint}); "
                "use another name, or delete it"
            )
        if definition.comparison is not None:
            study.adjust(definition.comparison)
        return study

    def add_study(
        self, definition: StudyDefinition, complete: Completion = lambda definition: definition
    ) -> bool:
        """Create the study; False where one of its name exists. Raises what `create_study` raises."""
        check_enqueued(definition.space, definition.enqueue)
        directions = {each.metric: each.direction for each in definition.objectives}
        with self._database.writing() as connection:
            study_id = insert_study(connection, definition.name, directions)
            if study_id is None:
                return False
            _fill(connection, study_id, complete(definition))
        return True

    def newest_study(self, resource: str) -> "Study":
        """Open the study made last for the optimization called `resource`, a `namespace/name`.

        Raises StudyNotFound.
        """
        with self._database.reading() as connection:
            name = find_newest_study(connection, RESOURCE_KEY, dump(resource))
        if name is None:
            raise StudyNotFound(f"{self._database.address} holds no study of an optimization {resource}")
        return self.open_study(name)

    def ended_optimizations(self, namespace: str, most: int) -> tuple[str, ...]:
        """Return the names of at most `most` studies of optimizations that have ended, the newest first.

        Only of optimizations in `namespace`: a database may be shared.
        """
        prefix = dump(f"{namespace}/").removesuffix('"')
        with self._database.reading() as connection:
            return find_ended_studies(connection, RESOURCE_KEY, prefix, END_KEY, most)

    def open_study(self, name: str) -> "Study":
        """Open the study called `name`; raises StudyNotFound, StudyUnreadable where it has no definition."""
        if (study := self._find(name)) is None:
            raise StudyNotFound(f"{self._database.address} holds no study called {name!r}")
        return study

    def _find(self, name: str) -> "Study | None":
        with self._database.reading() as connection:
            found = find_study_with(connection, name, DEFINITION_KEY)
        if found is None:
            return None
        study_id, text = found
        size = kept_size(text)
        if size > self._database.access.kept_bytes:
            raise too_large(name, self._database.access)
        definition = load_definition(text)
        return Study(self._database, study_id, definition, self._session, self._methods, kept_bytes=size)

    def study_names(self) -> tuple[str, ...]:
        """Return the names of all studies, sorted."""
        with self._database.reading() as connection:
            return list_studies(connection)

    def pulses(self, names: Sequence[str]) -> Mapping[str, Pulse]:
        """Return, for each of the studies `names` that is there, a value that differs when it changed.

        One statement for all of them, whatever they hold: ask it first where many studies are watched. One
        trial more is counted than is read.
        """
        with self._database.reading() as connection:
            return read_pulses(connection, names, END_KEY, self._database.access.most_trials + 1)

    def dispensable_studies(self) -> Mapping[str, str | None]:
        """Return the studies that are to go with their resource: by name, whose resource that is.

        None: nobody's that is known, as release 0.1.0 left it open.
        """
        with self._database.reading() as connection:
            found = find_studies(connection, RETENTION_KEY, dump(DELETE), OWNER_KEY)
        return {name: None if owner is None else str(json.loads(owner)) for name, owner in found.items()}

    def drop_study(self, name: str) -> None:
        """Delete the study with all its trials; nothing happens where it does not exist."""
        with self._database.reading() as connection:
            study_id = find_study(connection, name)
        if study_id is not None:
            with self._database.exclusive(study_id, patience_seconds=DROP_SECONDS) as connection:
                delete_study(connection, study_id)

    @property
    def engine(self) -> Engine:
        """The pool of connections, for those who count statements."""
        return self._database.engine

    def close(self) -> None:
        """Close the connections."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _fill(connection: Connection, study_id: int, definition: StudyDefinition) -> None:
    """Write what a new study starts with: its definition and the trials that are known beforehand."""
    attributes = {DEFINITION_KEY: dump_definition(definition)}
    if definition.comparison is None:
        attributes[RESOURCE_KEY] = dump(definition.resource)
    insert_attributes(connection, study_id, attributes)
    writer = TrialWriter(study_id, definition.space)
    for number, assignment in enumerate(_first_assignments(definition)):
        writer.create(connection, number, assignment, run=False)


def _first_assignments(definition: StudyDefinition) -> Iterator[Assignment]:
    """Give the repeats of a comparison, or the default as trial 0 and what is enqueued."""
    if definition.comparison is not None:
        yield from assignments(plan_of(definition.comparison))
        return
    yield Assignment(Phase.BASELINE)
    for entry in definition.enqueue:
        yield Assignment(Phase.SEARCH, entry, complete=False)
