"""What an error of the database means: it does not answer now, or what answers cannot be used."""

import sqlite3
from collections.abc import Mapping

from sqlalchemy import exc

from llmopt_core.errors.classes import LlmoptError
from llmopt_core.errors.files import without_number
from llmopt_core.storage.errors import (
    StorageFull,
    StorageReadOnly,
    StorageUnavailable,
    StorageUnusable,
    StudyDropped,
)

_LONGEST_REASON = 500
_NO_SUCH_ROW = {"23503", sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY}
_DISK_FULL, _READ_ONLY = "53100", "25006"
# By SQLSTATE, or the class that it begins with: what passes by itself or when an administrator acts.
_PASSING: Mapping[str, str] = {
    "57014": "a statement took too long and was cancelled",
    "55P03": "a lock was not given in time: something holds a table or a row",
    "40": "the transaction met another one",
    "53": "the server has reached a limit (raise it, or close connections)",
    "57": "the server is being stopped or restarted",
    "58": "the server has a fault",
    "XX": "the server has a fault",
    "08": "the connection failed",
}
# What stays until somebody repairs the database.
_LASTING: Mapping[str, str] = {
    "42501": "the role lacks a right: let it own the database, or grant it all rights on the tables",
    "42": "the tables are not those that llmopt made: restore them, or take another database",
    "3F000": "the schema is not there: correct the role's search_path",
}


def translate(error: exc.SQLAlchemyError, address: str, password: str) -> LlmoptError:
    """Return what `error` of the database at `address` means, without the password.

    No error is returned as it is: whatever a database answers is a state of the storage.
    """
    if isinstance(error, exc.TimeoutError):
        return StorageUnavailable(f"{address}: no free connection: {_reason(error, password)}")
    if not isinstance(error, exc.DBAPIError):
        return StorageUnusable(f"{address}: what it holds cannot be read: {_reason(error, password)}")
    driver, reason = error.orig, _reason(error.orig, password)
    code = getattr(driver, "sqlstate", None) or getattr(driver, "sqlite_errorcode", None)
    if code in _NO_SUCH_ROW:
        return StudyDropped(address)
    if isinstance(driver, sqlite3.DatabaseError) and not isinstance(driver, sqlite3.IntegrityError):
        return of_sqlite(driver, address)
    return _of_postgres(error, str(code or ""), f"{address}: {reason}")


def _of_postgres(error: exc.DBAPIError, code: str, text: str) -> LlmoptError:
    if code == _DISK_FULL:
        return _full(text)
    if code == _READ_ONLY:
        return StorageReadOnly(
            f"{text}; the server takes no writes: it is a standby, or in read-only mode. With several hosts"
            " in the URL add target_session_attrs=read-write"
        )
    if lasting := _LASTING.get(code) or _LASTING.get(code[:2]):
        return StorageUnusable(f"{text}; {lasting}")
    if passing := _PASSING.get(code) or _PASSING.get(code[:2]):
        return StorageUnavailable(f"{text}; {passing}")
    passes = isinstance(error, exc.OperationalError | exc.InterfaceError | exc.InternalError)
    if error.connection_invalidated or passes:
        return StorageUnavailable(text)
    return StorageUnusable(text)


def of_sqlite(error: sqlite3.DatabaseError, address: str) -> LlmoptError:
    """Return what `error` of the SQLite file at `address` means."""
    if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
        return _full(f"{address}: {error}")
    if isinstance(error, sqlite3.OperationalError):
        return StorageUnavailable(f"{address}: {error}")
    return StorageUnusable(f"{address}: {error}; move the file away, or name another place for the results")


def _full(text: str) -> StorageFull:
    return StorageFull(f"{text}; free space on the disk that holds it, nothing is lost")


def _reason(error: object, password: str) -> str:
    """Return the first line of what the database said; its text may be a tenant's."""
    lines = without_number(error).strip().splitlines()
    reason = lines[0] if lines else type(error).__name__
    return (reason.replace(password, "***") if password else reason)[:_LONGEST_REASON]
