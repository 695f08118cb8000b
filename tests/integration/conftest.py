from pathlib import Path

import pytest
from cluster.control_plane import ControlPlane

_CRDS = Path(__file__).parents[2] / "crds"


@pytest.fixture(scope="session")
def plane(tmp_path_factory):
    """A control plane without nodes that knows our resources."""
    with ControlPlane(tmp_path_factory.mktemp("plane")) as plane:
        plane.apply(_CRDS)
        yield plane
