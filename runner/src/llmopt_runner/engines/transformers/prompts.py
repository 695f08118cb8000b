"""Counts the tokens of prompts as `transformers serve` would, without it.

The server does not look whether a prompt fits into the model's context: beyond it, it goes on in silence, for
minutes on a CPU, and answers nonsense.
"""

import json
import logging
import subprocess
from collections.abc import Sequence
from pathlib import Path

from llmopt_runner.engines.programs import python_of

log = logging.getLogger(__name__)

_LIMIT_SECONDS = 60.0
# The library below transformers alone: it loads no torch.
_COUNT = """
import json, sys
from tokenizers import Tokenizer
tokenizer = Tokenizer.from_file(sys.argv[1])
tokenizer.no_truncation()
tokenizer.no_padding()
encoded = tokenizer.encode_batch(json.load(sys.stdin), add_special_tokens=False)
json.dump([len(each.ids) for each in encoded], sys.stdout)
"""


def count_tokens(program: Path, model: Path, prompts: Sequence[str]) -> tuple[int, ...] | None:
    """Return the tokens of each of `prompts`, without those that a chat template adds; None: not known.

    Counted in the environment of `program`, the engine's own, by the model's tokenizer.json.
    """
    tokenizer = model / "tokenizer.json"
    if not tokenizer.is_file():
        return None
    try:
        answer = subprocess.run(
            (python_of(program), "-I", "-c", _COUNT, tokenizer),
            input=json.dumps(prompts),
            capture_output=True,
            text=True,
            timeout=_LIMIT_SECONDS,
            check=True,
        )
        return tuple(json.loads(answer.stdout))
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        log.warning("the tokens of the prompts were not counted: %s", error)
        return None
