"""A fake server whose accuracy depends on the temperature, and the trials that count of a search on it."""

from fakes.openai_server import FakeOptions

from llmopt_core.storage.records import OutcomeKind, Phase
from llmopt_runner.datasets.arithmetic import arithmetic

# Right with probability 0.95 - 0.7 x temperature: greedy answers are best, and the default of 1.0 is not.
ANSWERS = {item.question: item.answer for item in arithmetic().items(200, 0)}
OPTIONS = FakeOptions(
    ttft_ms=4.0, gap_ms=1.0, tokens=3, answers=ANSWERS, right_probability=0.95, right_loss_per_temperature=0.7
)


def counted(study):
    """Return the trials that count against the budget."""
    return [
        trial
        for trial in study.trials()
        if trial.phase is not Phase.CONFIRM and trial.outcome.kind is not OutcomeKind.RETURNED
    ]
