"""The line of a log that says why an engine failed, where no pattern knows its words."""

import re
from collections.abc import Iterator

# `(EngineCore pid=101) ERROR 01-01 00:00:00 [core.py:900] `: the process, then the logger's own words.
_PREFIX = re.compile(
    r"^\s*(?:\((?P<process>[A-Za-z]\w*)[^)]*\)\s*)?(?:\[\w+\]\s*)?"
    r"(?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL)?:?(?: +[\d:., -]+)? *(?:\[?[\w./-]+:\d+\])? ?"
)
_ERROR = re.compile(
    r"^(?:(?:[A-Za-z_]\w*\.)*(?:[A-Z]\w*)?(?:Error|Exception|Exit|Interrupt|Failure)(?:_\w+)?\b"
    r"|(?:[A-Za-z_]\w*\.)+(?:[A-Z]\w*)?(?:Timeout|OutOf\w+|Aborted|Refused)\b): ?\S"
)
# What programs in C++, Go and Rust write before they end: llama.cpp, Ollama, TGI, libraries below Python.
_NATIVE = re.compile(
    r"\berror loading model: \S|\b(?:CUDA|HIP|MUSA|SYCL|rocBLAS|HSA) [Ee]rror: \S"
    r"|_ASSERT\(.*failed|^\s*what\(\): +\S|\b(?:fatal )?error: \S"
    r"|^(?:Segmentation fault|Aborted|Bus error|Fatal Python error: )"
    # A function says what failed. What goes on with something else is no error.
    r"|^(?:[\d.]+ E )?(?:srv +)?(?!warning)\w+: (?:\w+: )?(?!.*(?:default|fall|skip|retry|ignor|disable))"
    r"failed to \S"
    r"|\blevel=(?:ERROR|FATAL|error|fatal)\b|\"level\": ?\"(?:ERROR|FATAL|error|fatal)\"|Z +ERROR \S"
)
# Said by processes that waited for one that failed.
_CONSEQUENCE = re.compile(
    r"Engine core initialization failed|See root cause above|EngineDeadError|EngineCore encountered an issue"
    r"|died unexpectedly|cancelled|Worker failed with error|WorkerProc initialization failed"
    r"|See stack trace|Received sigquit from a child|SIGQUIT received|Triggering SIGQUIT for cleanup"
    r"|exiting due to model loading error|failed to load model, "
    r"|llama runner process has terminated: exit status|ShardCannotStart|Shard \d+ failed to start"
)
# Names of processes of vLLM, the innermost first: an outer one repeats what an inner one met.
_LONGEST_LINE = 2000
_DEPTHS = ("VllmWorker", "Worker", "EngineCore")


def decisive_line(log: str) -> str:
    """Return the first error of the innermost process in `log`, or else its last line."""
    if (error := any_error(log)) is not None:
        return error
    lines = reversed(_own_lines(log))
    return f"last line: {next(filter(None, lines), 'it left no log')}"


def any_error(log: str) -> str | None:
    """Return the first error of the innermost process, or what a program in C++ wrote; None: nothing."""
    if (error := first_error(log)) is not None:
        return error
    said = next(filter(_NATIVE.search, _own_lines(log)), None)
    return None if said is None else said[:_LONGEST_LINE]


def only_consequences(log: str) -> bool:
    """Say whether `log` says that something failed, and not what: its beginning may have been cut off."""
    if any_error(log) is not None:
        return False
    return any(_CONSEQUENCE.search(text) and "cancelled" not in text for _, text in _said(log))


def _own_lines(log: str) -> list[str]:
    return [line.strip() for line in log.splitlines() if not _CONSEQUENCE.search(line)]


def first_error(log: str) -> str | None:
    """Return the first error of the innermost process in `log`; None where it has none."""
    first = min(_errors(log), key=lambda error: error[0], default=None)
    return None if first is None else first[1]


def _errors(log: str) -> Iterator[tuple[int, str]]:
    """Give each error that is no consequence of another, with how far out its process is."""
    for process, text in _said(log):
        if _ERROR.match(text) and not _CONSEQUENCE.search(text):
            yield _distance(process), text


def _said(log: str) -> Iterator[tuple[str, str]]:
    """Give each line that is no message of a lower level, with the name of its process."""
    for whole in log.splitlines():
        line = whole[:_LONGEST_LINE]
        prefix = _PREFIX.match(line)
        if prefix is not None and prefix["level"] not in {"DEBUG", "INFO", "WARNING"}:
            yield prefix["process"] or "", line[prefix.end() :].strip()


def _distance(process: str) -> int:
    return next((place for place, name in enumerate(_DEPTHS) if process.startswith(name)), len(_DEPTHS))
