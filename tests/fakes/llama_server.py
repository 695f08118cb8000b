"""A stand-in for the program `llama-server`: the fake OpenAI server at the port and by the name given."""

import shlex
import sys
from pathlib import Path

_TESTS = Path(__file__).parents[1]
_PROGRAM = """#!/bin/sh
[ "$1" = --version ] && echo "version: 1 (stand-in)" && exit
while [ $# -gt 0 ]; do
  case "$1" in --port) port=$2 ;; --alias) model=$2 ;; esac
  shift
done
cd {tests} && exec {python} -m fakes.openai_server --port "$port" --model "$model" --options {options}
"""


def install(folder, options):
    """Write the program into `folder`, for LLMOPT_ENGINE_LLAMACPP; it behaves as the JSON `options` say."""
    program = folder / "llama-server"
    words = {"tests": _TESTS, "python": sys.executable, "options": options}
    program.write_text(_PROGRAM.format(**{name: shlex.quote(str(each)) for name, each in words.items()}))
    program.chmod(0o755)
    return folder
