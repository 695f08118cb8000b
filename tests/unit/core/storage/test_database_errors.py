"""What an error of the database means."""

from sqlalchemy import exc

from llmopt_core.storage.database_errors import translate
from llmopt_core.storage.errors import StorageUnavailable


def test_a_host_that_is_not_found_is_said_without_the_systems_number() -> None:
    """The driver's message holds one; a condition and the terminal show words."""
    said = "failed to resolve host 'db': [Errno -3] Temporary failure in name resolution"
    error = translate(exc.OperationalError(None, None, Exception(said)), "postgresql://db/x", "secret")
    assert isinstance(error, StorageUnavailable)
    assert str(error) == (
        "postgresql://db/x: failed to resolve host 'db': Temporary failure in name resolution"
    )
