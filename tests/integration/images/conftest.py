import pytest
from cluster import requirements


@pytest.fixture(scope="session", autouse=True)
def builder():
    """A machine that builds images. Where it cannot, a person's tests are skipped and those of CI fail."""
    requirements.provide_or_skip()
