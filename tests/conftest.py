"""What every tier shares: a cold first run must not fail a property test by its time."""

import pytest


def pytest_collection_finish(session: pytest.Session) -> None:
    """Have hypothesis build its Unicode tables, and cache them, before the first property test.

    On a fresh machine that takes seconds. Within a test they would count as its own, and fail its health
    check `too_slow` or its deadline.
    """
    if not any(item.get_closest_marker("hypothesis") for item in session.items):
        return
    from hypothesis import HealthCheck, given, settings, strategies  # noqa: PLC0415 - slow, seldom needed

    @settings(max_examples=1, database=None, deadline=None, suppress_health_check=tuple(HealthCheck))
    @given(strategies.text())
    def build_tables(_text: str) -> None:
        """Draw one text."""

    build_tables()
