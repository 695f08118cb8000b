"""What the runners of a study last reported of themselves: one attribute a runner."""

from dataclasses import replace

from sqlalchemy.engine import Connection

from llmopt_core.storage.database import Database
from llmopt_core.storage.documents import HEARTBEATS, Heartbeat, dump, load
from llmopt_core.storage.errors import StudyUnreadable
from llmopt_core.storage.keys import RUNNER_PREFIX
from llmopt_core.storage.records import RunnerRecord
from llmopt_core.storage.rows import newest_attributes, put_attribute


class Heartbeats:
    """Reads the heartbeats of one study's runners, and writes those of the process `session`."""

    def __init__(self, database: Database, study_id: int, session: str) -> None:
        self._database = database
        self._study_id = study_id
        self._session = session

    def write(self, record: RunnerRecord) -> None:
        """Store what a runner of this process reports, in one write."""
        with self._database.writing() as connection:
            self._put(connection, record.name, Heartbeat(self._session, record))

    def end_replaced(self, index: int) -> None:
        """Report for every runner of `index` that has not ended that it has; see `Study.replace_runners`."""
        before = {name: each for name, each in self.read().items() if each.runner.index == index}
        with self._database.writing() as connection:
            for name, heartbeat in before.items():
                runner = heartbeat.runner
                if runner.ended is None:
                    gone = replace(runner, beat=runner.beat + 1, ended="replaced")
                    self._put(connection, name, replace(heartbeat, runner=gone))

    def read(self) -> dict[str, Heartbeat]:
        """Return what each runner last reported, by name."""
        with self._database.reading() as connection:
            return self.read_in(connection)[0]

    def read_in(self, connection: Connection) -> tuple[dict[str, Heartbeat], tuple[str, ...]]:
        """Return what each runner last reported, by name, and which of that cannot be read."""
        heartbeats: dict[str, Heartbeat] = {}
        unreadable = []
        for key, text in newest_attributes(connection, self._study_id, RUNNER_PREFIX).items():
            try:
                heartbeats[key.removeprefix(RUNNER_PREFIX)] = load(HEARTBEATS, text or "", key)
            except StudyUnreadable:
                unreadable.append(key)
        return heartbeats, tuple(sorted(unreadable))

    def _put(self, connection: Connection, name: str, heartbeat: Heartbeat) -> None:
        put_attribute(connection, self._study_id, f"{RUNNER_PREFIX}{name}", dump(heartbeat))
