"""Writes the chart's Grafana dashboards; with --check it fails when they are not up to date."""

import argparse
import json
import sys
from pathlib import Path

from all_studies import STUDIES
from one_study import STUDY
from operator_and_storage import OPERATOR
from runners_and_gpus import RUNNERS

_FOLDER = Path(__file__).parents[2] / "helm" / "llmopt" / "dashboards"
_DASHBOARDS = (STUDIES, STUDY, RUNNERS, OPERATOR)


def main() -> int:
    """Write or check the files; return 1 where the check finds a difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    wanted = {_FOLDER / f"{each.uid}.json": json.dumps(each.json(), indent=2) + "\n" for each in _DASHBOARDS}
    stale = [path for path in _FOLDER.glob("*.json") if path not in wanted]
    changed = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    if check:
        for path in (*stale, *changed):
            sys.stderr.write(f"{path.relative_to(_FOLDER.parents[2])} is not up to date: make generate\n")
        return 1 if stale or changed else 0
    for path in stale:
        path.unlink()
    for path in changed:
        path.write_text(wanted[path])
    return 0


if __name__ == "__main__":
    sys.exit(main())
