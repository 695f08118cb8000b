"""`korean_math`: word problems in Korean with whole-number answers, computed by their generators."""

from llmopt_runner.datasets.generated import GeneratedDataset
from llmopt_runner.datasets.korean import counting_problems, measuring_problems, number_problems


def korean_math() -> GeneratedDataset:
    """Return the data set."""
    return GeneratedDataset(
        "korean_math",
        (*counting_problems.KINDS, *measuring_problems.KINDS, *number_problems.KINDS),
        instruction="답은 숫자로만 쓰세요.",
        evaluator="numeric",
        summary="Korean word problems whose answers are numbers",
    )
