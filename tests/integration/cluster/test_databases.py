"""The database of the test cluster: a real PostgreSQL at the address that pods reach."""

import psutil
import psycopg
from cluster.databases import Database


def test_database_is_reached_where_it_was_put_and_leaves_nothing(tmp_path):
    """It takes connections at its own address until it is left; then no process of it remains."""
    with Database(tmp_path, address="127.0.0.2") as database:
        url = database.create("studies").replace("postgresql+psycopg://", "postgresql://")
        with psycopg.connect(url) as connection:
            (address,) = connection.execute("SELECT host(inet_server_addr())").fetchone()
    assert address == "127.0.0.2"
    assert not [process for process in psutil.process_iter(["cmdline"]) if _uses(process, tmp_path)]


def _uses(process, folder):
    return any(str(folder) in word for word in process.info["cmdline"] or [])
