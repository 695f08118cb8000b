import pytest

from llmopt.local.folders import FolderBusy, ResultsFolder, note_holders


def test_a_locked_folder_is_refused_and_its_holders_named(tmp_path):
    """Who comes second learns who is there; after the first has left the folder is free."""
    folder = ResultsFolder(tmp_path / "mine")
    with folder.locked() as lock:
        note_holders(lock, [4711, 4712])
        with pytest.raises(FolderBusy, match="kill -TERM 4711 4712"), folder.locked():
            pass
    with folder.locked():
        assert folder.runner_log(0).parent.is_dir()


def test_setting_aside_keeps_what_was_there(tmp_path):
    """The name is free again, and the earlier results lie beside it."""
    folder = ResultsFolder(tmp_path / "mine")
    folder.prepare()
    folder.best.write_text("{}")
    moved = folder.set_aside()
    assert not folder.path.exists()
    assert (moved / "best.json").read_text() == "{}"
    assert moved.name.startswith("mine.until-")


def test_setting_aside_nothing_is_nothing(tmp_path):
    """A folder that is not there needs no other name."""
    assert ResultsFolder(tmp_path / "mine").set_aside() is None
