"""`korean_qa`: questions in Korean whose short answers follow from the question's own text."""

from llmopt_runner.datasets.generated import GeneratedDataset
from llmopt_runner.datasets.korean import language_questions, logic_questions, reading_questions


def korean_qa() -> GeneratedDataset:
    """Return the data set."""
    return GeneratedDataset(
        "korean_qa",
        (*reading_questions.KINDS, *logic_questions.KINDS, *language_questions.KINDS),
        instruction="설명 없이 답만 짧게 쓰세요.",
        evaluator="choice",
        summary="Korean questions whose answers follow from their own text",
    )
