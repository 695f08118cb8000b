"""What vLLM says of its own arguments, as it is kept here."""

from llmopt_core.engines.vllm.declaration import VLLM
from llmopt_core.engines.vllm.known_arguments import ARGUMENTS, CHOICES, VERSION
from llmopt_core.engines.vllm.left_out import LEFT_OUT

ENGINE = {known.name for known in VLLM.parameters.values() if known.group == "engine"}
OWN = {
    "kv_cache_memory_mib", "cpu_threads_bind", "compilation_mode", "cudagraph_mode", "speculative_method",
    "speculative_model", "num_speculative_tokens", "draft_tensor_parallel_size", "prompt_lookup_max",
    "prompt_lookup_min",
}  # fmt: skip


def test_every_argument_is_a_parameter_or_left_out_for_a_reason():
    """A version with a new argument needs a decision; none is in two lists, and none is made up."""
    left_out = [name for names in LEFT_OUT.values() for name in names]
    assert len(left_out) == len(set(left_out))
    assert not ENGINE & set(left_out)
    assert (ENGINE - OWN) | set(left_out) == set(ARGUMENTS)


def test_kinds_and_defaults_are_those_of_the_data():
    """Nothing that vLLM says of its arguments is written a second time."""
    for name in ENGINE - OWN - {"optimization_level", "cudagraph_capture_sizes"}:
        known = VLLM.parameters[f"engine.{name}"]
        assert (known.kind, known.default) == (ARGUMENTS[name].kind, ARGUMENTS[name].default), name


def test_the_version_is_that_of_the_declaration():
    """A user who runs another one is warned."""
    assert VLLM.packaging.version == VERSION


def test_methods_of_speculation_are_vllms():
    """But for the word for none, which is left unsaid."""
    methods = VLLM.parameters["engine.speculative_method"].choices
    assert set(methods) - {"none"} <= set(CHOICES["speculative_method"])
