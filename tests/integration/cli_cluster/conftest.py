import pytest
from fakes.cluster_commands import Commands


@pytest.fixture
def llmopt(plane, tmp_path):
    """The command with an administrator's rights."""
    commands = Commands(plane.kubeconfig, tmp_path)
    yield commands
    commands.end()
