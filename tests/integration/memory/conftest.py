"""Real control groups where this machine lets us make them; else the tests say so and skip."""

import pytest
from fakes.control_groups import ControlGroup


@pytest.fixture
def make_group(tmp_path):
    """Make real groups of some MiB."""
    groups = []

    def make(mib):
        try:
            groups.append(ControlGroup(mib, tmp_path))
        except OSError as error:
            pytest.skip(f"NOT TESTED: no control group can be made here ({error}); run as root")
        return groups[-1]

    yield make
    for each in groups:
        each.remove()


@pytest.fixture
def group(make_group):
    """A real group of 400 MiB."""
    return make_group(400)
