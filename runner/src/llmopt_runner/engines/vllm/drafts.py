"""What guesses tokens for vLLM: a model, a head, or the model's own layers.

Medusa and MLP speculators keep nothing of a sequence. Source: vLLM 0.32 (`config/speculative.py`,
`model_executor/models/*eagle*.py`, `*_mtp.py`).
"""

from collections.abc import Mapping

from llmopt_core.search.configurations import Value
from llmopt_runner.memory.drafts import AskedDraft, Drafting, drafting_by, own_drafting
from llmopt_runner.memory.shapes import ModelShape
from llmopt_runner.models.tensor_types import TensorType

_WITH_A_CACHE = frozenset({"draft_model", "eagle", "eagle3"})
_OWN_LAYERS = "mtp"


def drafting(shape: ModelShape, engine: Mapping[str, Value], plain: TensorType) -> Drafting:
    """Return what the `engine` parameters load to guess tokens of a model of `shape`.

    `plain` is the type of weights in plain floats. Raises LayoutUnknown.
    """
    method, source = engine.get("speculative_method"), engine.get("speculative_model")
    if method == _OWN_LAYERS:
        return own_drafting(shape)
    if source is None:
        return Drafting()
    return drafting_by(
        AskedDraft("speculative_model", str(source), plain=plain, keeps=method in _WITH_A_CACHE)
    )
