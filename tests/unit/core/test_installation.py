"""What a person types for an extra works wherever this llmopt came from, and asks no package index for it."""

import json
import shlex

import pytest

from llmopt_core.installation import command_of, install_command


def _record(path, **kind):
    return json.dumps({"url": path.as_uri(), **kind})


def test_a_clone_is_named_by_its_folder(tmp_path):
    """The command works in every folder, also where the clone's name has a space."""
    clone = tmp_path / "my clone"
    clone.mkdir()
    command = command_of(_record(clone, dir_info={}), "report")
    assert shlex.split(command) == ["pip", "install", f"{clone}[report]"]


def test_an_editable_installation_stays_one(tmp_path):
    """A developer's changes must still take effect afterwards."""
    command = command_of(_record(tmp_path, dir_info={"editable": True}), "report")
    assert shlex.split(command) == ["pip", "install", "-e", f"{tmp_path}[report]"]


def test_a_wheel_is_named_by_its_file(tmp_path):
    """The extra is that of the same release."""
    wheel = tmp_path / "llmopt-1.2.3-py3-none-any.whl"
    wheel.touch()
    command = command_of(_record(wheel, archive_info={}), "vllm")
    assert shlex.split(command) == ["pip", "install", f"{wheel}[vllm]"]


@pytest.mark.parametrize(
    "record",
    [None, '{"url": "file:///no/such/clone"}', '{"url": "https://example.com/llmopt.whl"}'],
    ids=["unknown", "removed", "downloaded"],
)
def test_otherwise_it_is_the_command_of_a_clone(record):
    """In an image, say, whose build folder is gone: the bare name would be another's package."""
    assert command_of(record, "hub") == "pip install '.[hub]' in a clone of llmopt"


def test_the_command_names_this_installation():
    """The tests run from a clone, which is the one that is named."""
    assert install_command("hub").startswith("pip install ")
    assert "llmopt[hub]" not in shlex.split(install_command("hub"))
