"""What tests of the command line share."""

import ctypes
from concurrent.futures import ThreadPoolExecutor

import pytest

_CAPABILITY_VERSION = 0x2008_0522


@pytest.fixture
def forbidden(tmp_path):
    """Give a folder with a model and a data set that nobody may enter, but for root."""
    folder = tmp_path / "forbidden"
    folder.mkdir()
    for name in ("m.gguf", "q.jsonl"):
        (folder / name).touch()
    folder.chmod(0)
    yield folder
    folder.chmod(0o700)


@pytest.fixture
def without_rights():
    """Give what calls a function in a thread without root's rights, where the modes of folders hold."""
    with ThreadPoolExecutor(1, initializer=_give_up_capabilities) as thread:
        yield lambda function, *arguments: thread.submit(function, *arguments).result()


def _give_up_capabilities():
    """Drop the capabilities of the calling thread alone."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    assert ctypes.CDLL(None).capset(header, (ctypes.c_uint32 * 6)()) == 0
