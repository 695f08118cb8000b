"""What tests of the runner program begin with: a study's folder, and a server whose answers are graded."""

import pytest
from fakes.graded_answers import OPTIONS
from fakes.openai_server import FakeServer
from fakes.runner_folders import Folder


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)


@pytest.fixture(scope="module")
def server():
    with FakeServer(OPTIONS) as fake:
        yield fake
