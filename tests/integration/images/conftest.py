import os

import pytest
from cluster import requirements


@pytest.fixture(scope="session", autouse=True)
def builder():
    """A machine that builds images. Where it cannot, a person's tests are skipped and those of CI fail."""
    try:
        requirements.provide()
    except requirements.NodeUnavailable as lack:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(lack))
