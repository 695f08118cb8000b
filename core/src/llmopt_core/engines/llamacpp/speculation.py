"""What belongs together where llama.cpp guesses tokens ahead (`common/speculative.cpp`, build b11549)."""

from collections.abc import Iterator, Mapping

from llmopt_core.search.configurations import Value

TYPE, MODEL = "engine.spec_type", "engine.spec_draft_model"
_MOST, _LEAST = "engine.spec_draft_n_max", "engine.spec_draft_n_min"
_OF_DRAFTS = (_MOST, _LEAST, "engine.spec_draft_p_min")
_OF_LOOKUPS = ("engine.spec_ngram_simple_size_n", "engine.spec_ngram_simple_size_m")
_WITH_A_MODEL = frozenset({"draft-simple", "draft-eagle3"})


def idle_speculation(values: Mapping[str, Value]) -> Iterator[str]:
    """Yield the parameters that the type of guessing does not look at, by full name."""
    kind = str(values[TYPE])
    if kind not in _WITH_A_MODEL:
        yield MODEL
    if not kind.startswith("draft-"):
        yield from _OF_DRAFTS
    if kind != "ngram-simple":
        yield from _OF_LOOKUPS


def speculation_conflicts(values: Mapping[str, Value]) -> Iterator[str]:
    """Yield one sentence for each combination of the settled `values` that llama.cpp refuses."""
    kind = values[TYPE]
    if kind in _WITH_A_MODEL and MODEL not in values:
        yield f"{TYPE} {kind} needs {MODEL}: the file of the model that guesses"
    if float(values[_LEAST]) > float(values[_MOST]):
        yield f"{_LEAST} {values[_LEAST]} is larger than {_MOST} {values[_MOST]}: nothing would be checked"
