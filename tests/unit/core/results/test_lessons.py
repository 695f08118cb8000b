import pytest
from fakes.statuses import effect, found

from llmopt_core.results.lessons import learned_text
from llmopt_core.results.wording import proof
from llmopt_core.storage.earlier import Learned

GOOD = Learned("team/before", 40, 0.8)
BAD = Learned("team/other", 25, 0.0)
_GOOD_AND_BAD = (
    "Learned from study before (weight 0.8, 40 trials); study other was dropped: it predicted the"
    " measurements here no better than chance."
)
SHORT = Learned("team/short", 3, None)


@pytest.mark.parametrize(
    ("learned", "text"),
    [
        ((), ""),
        ((GOOD,), "Learned from study before (weight 0.8, 40 trials)."),
        (
            (GOOD, BAD),
            _GOOD_AND_BAD,
        ),
        (
            (SHORT,),
            "Study short was not used: it has too few trials with what is searched here.",
        ),
    ],
)
def test_one_sentence_says_what_was_learned_from_which_study(learned, text):
    """Weight and trials of what was used, and why another was not; nothing where there was no other."""
    assert learned_text(learned) == text


def test_the_result_says_what_guided_the_search():
    """Where the numbers come from is followed by which studies guided the search to them."""
    status = found(effect())
    assert "Learned" not in proof(status)
    guided = status.model_copy(update={"learned": learned_text((GOOD,))})
    assert proof(guided) == f"{proof(status)} {learned_text((GOOD,))}"
