"""Whether the scores of the baseline leave anything to search for."""

from collections.abc import Mapping, Sequence

from llmopt_runner.datasets.base import Item

# With fewer items, the same score on all of them says little.
_FEWEST = 4
_SHOWN = 60


def baseline_warning(
    items: Sequence[Item], scores: Mapping[str, float], answers: Mapping[str, str]
) -> str | None:
    """Return what to say of a baseline that got the lowest, or the highest, score on all items.

    `scores` (0 to 1) and `answers` are by item id. None: some items were scored otherwise.
    """
    scored = [item for item in items if item.id in scores]
    values = {scores[item.id] for item in scored}
    if len(scored) < _FEWEST or values not in ({0.0}, {1.0}):
        return None
    if values == {1.0}:
        return (
            f"the baseline scored 1 on all {len(scored)} items: no configuration can answer better, only"
            " losses will show; where quality is an objective, ask harder items"
        )
    item = scored[0]
    return (
        f"the baseline scored 0 on all {len(scored)} items (expected {_shown(item.answer)}, answered"
        f" {_shown(answers.get(item.id, ''))}): if such answers are right, set another"
        " workload.evaluator.name; if they are cut, raise workload.maxTokens; otherwise ask easier items, or"
        " quality cannot be compared"
    )


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")
