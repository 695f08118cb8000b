"""A real control group where this machine lets us make one; else the tests say so and skip."""

import pytest
from fakes.control_groups import ControlGroup


@pytest.fixture
def group(tmp_path):
    """A real group of 400 MiB."""
    try:
        made = ControlGroup(400, tmp_path)
    except OSError as error:
        pytest.skip(
            f"NOT TESTED: no control group can be made here ({error}); run as root with version 1, or 2"
        )
    yield made
    made.remove()
