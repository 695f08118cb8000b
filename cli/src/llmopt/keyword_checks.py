"""How a study is run, said in Python: keywords whose values are checked before anything is made of them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from threading import TIMEOUT_MAX
from types import MappingProxyType

from llmopt.manifests import OptionInvalid
from llmopt.option_labels import labelled
from llmopt.options import MOST_RUNNERS, RESULTS
from llmopt.path_checks import folder_problem, unwritable
from llmopt.plain_values import plain


def check_run(arguments: Mapping[str, object]) -> None:
    """Raise OptionInvalid where a keyword that says how a study is run has a value that cannot be used."""
    timeout_seconds(arguments.get("timeout"))
    for name, (holds, expected) in _EXPECTED.items():
        if name in arguments and not holds(arguments[name]):
            raise OptionInvalid(f"{labelled(name, arguments[name])}: expected {expected}")
    results = Path(str(arguments.get("results", RESULTS)))
    if problem := folder_problem(results):
        raise OptionInvalid(f"{labelled('results', results)}: {problem}")
    if allowed := unwritable(results):
        raise OptionInvalid(f"{labelled('results', results)}: expected {allowed}")


def timeout_seconds(given: object) -> float | None:
    """Return the `timeout` that was given, None without one; raises OptionInvalid."""
    seconds = plain(given)
    if seconds is None:
        return None
    if not is_number(seconds) or not 0 < seconds <= TIMEOUT_MAX:
        raise OptionInvalid(
            f"{labelled('timeout', given)}: expected seconds, a number above 0 and at most {TIMEOUT_MAX:.0f}"
        )
    return float(seconds)


def is_number(value: object) -> bool:
    """Say whether `value` is a number; True and False are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_flag(value: object) -> bool:
    """Say whether `value` is True or False."""
    return isinstance(value, bool)


def _is_count_of_runners(value: object) -> bool:
    return value is None or (
        isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_RUNNERS
    )


_EXPECTED: Mapping[str, tuple[Callable[[object], bool], str]] = MappingProxyType(
    {
        "runners": (_is_count_of_runners, f"a whole number from 1 to {MOST_RUNNERS}, or None"),
        "results": (lambda value: isinstance(value, str | Path), "a folder, as text or as a Path"),
        "storage": (lambda value: isinstance(value, str | None), "the URL of a database as text, or None"),
        "evaluator": (
            lambda value: value is None or callable(value),
            "a function (item, answer) -> score from 0 to 1, or (items, answers, parameters) -> scores",
        ),
        **dict.fromkeys(("fresh", "progress", "debug"), (is_flag, "True or False")),
    }
)
