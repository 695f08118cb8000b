"""The attributes in which a study keeps what it learns from earlier ones."""

from collections.abc import Sequence

from llmopt_core.storage.database import Database
from llmopt_core.storage.documents import dump, load
from llmopt_core.storage.earlier import EARLIER, LEARNED, EarlierStudy, Learned
from llmopt_core.storage.keys import EARLIER_KEY, LEARNED_KEY
from llmopt_core.storage.rows import get_attribute, put_first_attribute


class Lessons:
    """What study `study_id` learns from earlier ones. Every method may raise StorageUnavailable."""

    def __init__(self, database: Database, study_id: int) -> None:
        self._database = database
        self._study_id = study_id

    @property
    def kept(self) -> tuple[EarlierStudy, ...] | None:
        """What earlier studies measured, None where it was not settled; raises StudyUnreadable."""
        text = self._attribute(EARLIER_KEY)
        return None if text is None else load(EARLIER, text, "what the study keeps of earlier ones")

    def keep(self, studies: Sequence[EarlierStudy]) -> None:
        """Settle what every runner of the study learns from; only the first time counts."""
        with self._database.writing() as connection:
            put_first_attribute(connection, self._study_id, EARLIER_KEY, dump(tuple(studies)))

    @property
    def learned(self) -> tuple[Learned, ...]:
        """How far earlier studies are used, as the sampler said last; raises StudyUnreadable."""
        return load_learned(self._attribute(LEARNED_KEY))

    def _attribute(self, key: str) -> str | None:
        with self._database.reading() as connection:
            return get_attribute(connection, self._study_id, key)


def load_learned(text: str | None) -> tuple[Learned, ...]:
    """Return what attribute `LEARNED_KEY` holds, nothing where it is not there; raises StudyUnreadable."""
    return () if text is None else load(LEARNED, text, "what was learned from earlier studies")
