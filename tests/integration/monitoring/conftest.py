import os

import pytest
from cluster import requirements


@pytest.fixture(scope="session")
def promtool() -> str:
    """Prometheus' own checker; it comes with Prometheus."""
    try:
        requirements.provide_prometheus()
    except requirements.NodeUnavailable as lack:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(lack))
    return "promtool"
