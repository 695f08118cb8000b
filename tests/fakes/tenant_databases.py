"""A tenant's database as the chart makes it: with a role of its own, which is no superuser."""

import itertools

import psycopg
from fakes.postgres import PASSWORD

from llmopt_core.storage.access import Access
from llmopt_core.storage.reaper import Reaper

_numbers = itertools.count()
# As the operator's, with the patience of a test.
HASTY = Access(
    postgres_only=True,
    idle_connections=1,
    connect_seconds=2,
    answer_seconds=4.0,
    answer_bytes=2**20,
    answer_rows=10_000,
    statement_seconds=3.0,
    lock_seconds=0.3,
    idle_seconds=5.0,
    document_bytes=200_000,
    batch_bytes=300_000,
    batch_rows=7,
    most_trials=50,
    search_details=False,
)


class TenantsDatabase:
    """A database that belongs to a role of its own, and an administrator's way into it."""

    def __init__(self, server):
        self.server = server
        self.name = self.role = f"tenant{next(_numbers)}"
        self.admin("CREATE ROLE {} LOGIN PASSWORD {}", self.role, PASSWORD, into="postgres")
        self.create()

    @property
    def url(self):
        return self.server.url(self.name).replace("llmopt:", f"{self.role}:")

    def create(self):
        self.admin("CREATE DATABASE {} OWNER {}", self.name, self.role, into="postgres")

    def drop(self):
        self.admin("DROP DATABASE {} WITH (FORCE)", self.name, into="postgres")

    def admin(self, statement, *parts, into=None):
        names = [
            psycopg.sql.Literal(part) if part == PASSWORD else psycopg.sql.Identifier(part) for part in parts
        ]
        address = self.server.url(into or self.name).replace("+psycopg", "")
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(psycopg.sql.SQL(statement).format(*names))

    def sql(self, *statements):
        """Run `statements` as the administrator."""
        address = self.server.url(self.name).replace("+psycopg", "")
        with psycopg.connect(address, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    def cut(self):
        """End the tenant's connections: what is set for a role holds for new ones."""
        self.admin(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid()"
        )


def look(study):
    """All that the operator does with a study that runs."""
    Reaper(study, 60.0).sweep()
    return study.picture()
