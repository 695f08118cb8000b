import os

import pytest
from cluster import requirements
from cluster.images import image
from cluster.running import running_cluster


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """A cluster that runs pods. Where none can run, a person's tests are skipped and those of CI fail."""
    try:
        requirements.provide()
    except requirements.NodeUnavailable as lack:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(lack))
    with running_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        cluster.node.load_image(image("debian"))
        yield cluster
