"""How a program uses a study database: what it accepts, how long it waits and how much it reads."""

from dataclasses import dataclass
from math import inf


@dataclass(frozen=True)
class Access:
    """Limits for one program. The default is for the owners of a database: runners and the command.

    `connect_seconds` is per host of the URL. `answer_seconds` is how long the client waits for the answer to
    one statement, whatever the network does, and `answer_bytes` and `answer_rows` how much of it the client
    takes (None: no limit). `statement_seconds`, `lock_seconds` and `idle_seconds` (inside a transaction) are
    the server's own limits; None leaves them as they are there. A single stored document is read up to
    `document_bytes`, one statement returns about `batch_bytes` and `batch_rows` at most, and the trials that
    changed are read for `refresh_seconds` at most. A study of more than `most_trials` trials, or of which
    more than `kept_bytes` would be kept (see `kept_size`), is not read.
    """

    postgres_only: bool = False
    idle_connections: int = 5
    connect_seconds: int = 10
    answer_seconds: float = 90.0
    answer_bytes: int | None = None
    answer_rows: int | None = None
    statement_seconds: float | None = None
    lock_seconds: float | None = None
    idle_seconds: float | None = None
    document_bytes: int = 64 * 2**20
    batch_bytes: int = 64 * 2**20
    batch_rows: int = 5_000
    refresh_seconds: float = inf
    most_trials: int = 1_000_000
    kept_bytes: int = 2**40
    # Whether samples and sampler notes of search trials are kept: samplers and pruners need them.
    search_details: bool = True


OWNER = Access()
