"""What `--json` prints: one document on standard output, and nothing else there."""

import json
import sys
from typing import Any


def print_json(document: Any) -> None:
    """Print `document` as JSON."""
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
