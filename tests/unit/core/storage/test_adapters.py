"""A forged document costs a reader little more than an honest one."""

import json
import os
import subprocess
import sys

import pytest
from fakes import forged_rows
from fakes.forged_rows import ROWS

from llmopt_core.storage.documents import ASSIGNMENTS, load
from llmopt_core.storage.errors import StudyUnreadable

# The operator has 512 MiB, and takes about 140 of them without any study.
MOST_MIB, MOST_SECONDS = 128.0, 5.0


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the most memory is told in another unit")
def test_no_row_of_two_mebibytes_takes_hundreds_to_read(tmp_path):
    """Whatever a row of two MiB is made of, reading it takes a limited amount of memory and time."""
    for name, row in ROWS.items():
        (tmp_path / name).write_text(row.text())
    done = subprocess.run(
        [sys.executable, forged_rows.__file__, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    for name, (grown_mib, seconds) in json.loads(done.stdout).items():
        assert grown_mib < MOST_MIB, name
        assert seconds < MOST_SECONDS, name


def test_the_first_fault_is_named():
    """A message says where the first fault is and what is wrong there, and nothing of the others."""
    with pytest.raises(StudyUnreadable) as caught:
        load(ASSIGNMENTS, '{"phase":"search","attempt":-1,"parameters":{"a":1,"b":null,"c":null}}', "it")
    assert "parameters.b" in str(caught.value)
    assert "parameters.c" not in str(caught.value)


@pytest.mark.parametrize("name", ["warnings", "metrics", "settings", "candidates", "compared metrics"])
def test_a_message_about_many_faults_is_one_short_line(name):
    """However many elements are wrong, the message is short and quotes none of them."""
    row = ROWS[name]
    with pytest.raises(StudyUnreadable) as caught:
        row.read(f"{row.before}{','.join([row.element] * 1000)}{row.after}")
    assert len(str(caught.value)) < 300
    assert "\n" not in str(caught.value)
