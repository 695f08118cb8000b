"""Reading logs in bounded memory."""

from llmopt_runner.engines.logs import bounded_text


def test_a_short_log_is_whole(tmp_path):
    """Nothing is left out of a log that fits."""
    path = tmp_path / "log"
    path.write_text("one\ntwo\n")
    assert bounded_text(path) == "one\ntwo\n"


def test_a_long_log_keeps_its_head_and_its_tail(tmp_path):
    """Causes at the start and the last words stay; the middle is counted."""
    path = tmp_path / "log"
    path.write_bytes(b"HEAD" + b"." * 100 + b"TAIL")
    assert bounded_text(path, 4, 4) == "HEAD\n[… 100 bytes left out …]\nTAIL"


def test_a_log_is_read_from_where_it_is_asked(tmp_path):
    """What stands before is not part of it."""
    path = tmp_path / "log"
    path.write_bytes(b"BEFORE" + b"HEAD" + b"." * 100 + b"TAIL")
    assert bounded_text(path, 4, 4, begin=6) == "HEAD\n[… 100 bytes left out …]\nTAIL"
    assert bounded_text(path, begin=110) == "TAIL"


def test_a_log_that_is_not_there_is_empty(tmp_path):
    """An engine may fail before it has a log."""
    assert bounded_text(tmp_path / "absent") == ""


def test_bytes_that_are_no_text_are_replaced(tmp_path):
    """A cut or broken character does not break the report."""
    path = tmp_path / "log"
    path.write_bytes(b"a\xffb")
    assert bounded_text(path) == "a\ufffdb"
