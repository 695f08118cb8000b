"""GPUs that a manifest asks for, against what its engine takes of them."""

from typing import Any

import pytest
from fakes.manifests import benchmark, changed, optimization

from llmopt_core.resources import resource_of, validate
from llmopt_core.resources.cautions import cautions_of

SPACES = {
    "transformers": [{"name": "dtype", "categorical": {"choices": ["bfloat16", "float16"]}}],
    "llamacpp": [{"name": "n_parallel", "int": {"low": 1, "high": 8}}],
}
CLAIM = [{"name": "gpus", "resourceClaimTemplateName": "two"}]


def _vllm(
    limits: dict[str, Any],
    *,
    args: dict[str, Any] | None = None,
    requests: dict[str, Any] | None = None,
    claims: list[Any] | None = None,
    space: list[Any] | None = None,
    engine: str = "vllm",
) -> dict[str, Any]:
    document = changed(optimization(), "spec.engine", {"name": engine, "args": args or {}})
    document = changed(document, "spec.model", {"source": "hf://org/name"})
    free = "max_num_seqs" if engine == "vllm" else "max_running_requests"
    asked = space or [{"name": free, "int": {"low": 1, "high": 8}}]
    document = changed(document, "spec.search", {"space": {"engine": asked}})
    runners = {"resources": {"limits": limits, "requests": requests or {}}}
    template = {"template": {"resourceClaims": claims}} if claims else {}
    return changed(document, "spec.runners", {**runners, **template})


def _faults(document: dict[str, Any]) -> list[str]:
    return [str(fault) for fault in validate(document)]


@pytest.mark.parametrize(
    ("limits", "size"),
    [
        ({"nvidia.com/gpu": 2}, 2),
        ({"nvidia.com/gpu": "4"}, 2),
        ({"amd.com/gpu": 1, "cpu": 4}, 1),
        ({"nvidia.com/mig-3g.40gb": 2}, 1),
        ({"cpu": 4}, 8),  # as many as the machine has
        ({}, 8),
    ],
)
def test_an_engine_may_take_what_runners_get(limits: dict[str, Any], size: int) -> None:
    """Without a GPU in the manifest the machine decides."""
    assert _faults(_vllm(limits, args={"tensor_parallel_size": size})) == []


@pytest.mark.parametrize(
    ("limits", "size", "there"),
    [
        ({"nvidia.com/gpu": 1}, 2, 1),
        ({"nvidia.com/gpu": "2"}, 4, 2),
        ({"nvidia.com/mig-3g.40gb": 4}, 2, 1),
        ({"nvidia.com/gpu.shared": 4}, 2, 1),
    ],
)
def test_more_gpus_than_runners_get_is_a_fault(limits: dict[str, Any], size: int, there: int) -> None:
    """The field, its value and the limit are named; slices and shared GPUs are one for a program."""
    (fault,) = _faults(_vllm(limits, args={"tensor_parallel_size": size}))
    assert fault.startswith("spec.engine.args.tensor_parallel_size")
    assert f"{size}" in fault
    assert f"at most the {there} GPU(s)" in fault


@pytest.mark.parametrize("engine", ["vllm", "sglang"])
@pytest.mark.parametrize(
    ("sizes", "there"),
    [
        ({"tensor_parallel_size": 2}, 2),
        ({"pipeline_parallel_size": 4}, 4),
        ({"data_parallel_size": 4}, 4),
        ({"tensor_parallel_size": 2, "pipeline_parallel_size": 2}, 4),
        ({"tensor_parallel_size": 2, "pipeline_parallel_size": 2, "data_parallel_size": 2}, 8),
    ],
)
def test_all_sizes_count_and_multiply(engine: str, sizes: dict[str, int], there: int) -> None:
    """What layers, stages and replicas take together must be there: one GPU less is a fault."""
    assert _faults(_vllm({"nvidia.com/gpu": there}, args=sizes, engine=engine)) == []
    (fault,) = _faults(_vllm({"nvidia.com/gpu": there - 1}, args=sizes, engine=engine))
    assert f"at most the {there - 1} GPU(s)" in fault
    assert " x ".join(sizes) in fault


def test_a_searched_size_is_multiplied_by_the_fixed_ones() -> None:
    """Two stages leave half of four GPUs for the layers of each."""
    space = [{"name": "tensor_parallel_size", "categorical": {"choices": [1, 2, 4]}}]
    (fault,) = _faults(_vllm({"nvidia.com/gpu": 4}, args={"pipeline_parallel_size": 2}, space=space))
    assert fault.startswith("spec.search.space.engine[0]")
    assert _faults(_vllm({"nvidia.com/gpu": 8}, args={"pipeline_parallel_size": 2}, space=space)) == []


def test_with_claims_nothing_is_judged() -> None:
    """How many devices a claim gives stands elsewhere."""
    document = _vllm({"nvidia.com/gpu": 1}, args={"tensor_parallel_size": 2}, claims=CLAIM)
    assert _faults(document) == []


@pytest.mark.parametrize("asked", [{"categorical": {"choices": [1, 2, 4]}}, {"int": {"low": 1, "high": 4}}])
def test_searched_sizes_must_fit(asked: dict[str, Any]) -> None:
    """Each value beyond the limit would cost a start that fails."""
    space = [{"name": "tensor_parallel_size", **asked}]
    (fault,) = _faults(_vllm({"nvidia.com/gpu": 2}, space=space))
    assert fault.startswith("spec.search.space.engine[0]")
    assert _faults(_vllm({"nvidia.com/gpu": 4}, space=space)) == []


def test_a_candidates_size_is_judged_as_well() -> None:
    """By the parameters of the candidate, and by those that all share."""
    document = changed(benchmark(), "spec.engine", {"name": "vllm"})
    document = changed(document, "spec.model", {"source": "hf://org/name"})
    candidates = [{"name": "default"}, {"name": "two", "parameters": {"engine.tensor_parallel_size": 2}}]
    document = changed(document, "spec.candidates", candidates)
    document = changed(document, "spec.runners", {"resources": {"limits": {"nvidia.com/gpu": 1}}})
    (fault,) = _faults(document)
    assert fault.startswith("spec.candidates[1].parameters.engine.tensor_parallel_size: 2")
    shared = changed(document, "spec.engine", {"name": "vllm", "args": {"tensor_parallel_size": 2}})
    assert _faults(shared)[0].startswith("spec.engine.args.tensor_parallel_size: 2")


@pytest.mark.parametrize(
    ("requests", "limits", "faulty"),
    [
        ({"nvidia.com/gpu": 1}, {}, 1),
        ({"nvidia.com/gpu": 1}, {"nvidia.com/gpu": 2}, 1),
        ({"nvidia.com/gpu": 1}, {"nvidia.com/gpu": "1"}, 0),
        ({"example.com/dongle": 1}, {}, 1),
        ({"cpu": 1, "memory": "4Gi"}, {"cpu": 2}, 0),
    ],
)
def test_kubernetes_gives_devices_by_their_limits(
    requests: dict[str, Any], limits: dict[str, Any], faulty: int
) -> None:
    """It refuses a pod that requests a device without the same limit."""
    found = _faults(_vllm(limits, requests=requests))
    assert [fault.startswith("spec.runners.resources.requests") for fault in found] == [True] * faulty


def _cautions(document: dict[str, Any]) -> list[str]:
    return [str(caution) for caution in cautions_of(resource_of(document))]


@pytest.mark.parametrize(
    ("engine", "args", "warned"),
    [
        ("vllm", {}, True),
        ("sglang", {}, True),
        ("transformers", {"device": "cuda:0"}, True),
        ("transformers", {"device": "auto"}, False),
        ("llamacpp", {"n_gpu_layers": 12}, True),
        ("llamacpp", {"n_gpu_layers": 0}, False),
    ],
)
def test_an_engine_for_gpus_without_one_is_warned_of(engine: str, args: dict[str, Any], warned: bool) -> None:  # noqa: FBT001
    """Where a manifest says what runners get, and that is no GPU."""
    found = _cautions(_vllm({"cpu": 4}, engine=engine, args=args, space=SPACES.get(engine)))
    start = f"warning: spec.runners.resources.limits: engine {engine} is to run on GPUs"
    assert [caution.startswith(start) for caution in found] == [True] * warned


@pytest.mark.parametrize(
    "document",
    [_vllm({}), _vllm({"nvidia.com/gpu": 1}), _vllm({"cpu": 4}, claims=CLAIM)],
    ids=["the machine's", "a GPU", "a claim"],
)
def test_where_a_gpu_may_be_there_nothing_is_warned_of(document: dict[str, Any]) -> None:
    """On a laptop a manifest says nothing of resources."""
    assert _cautions(document) == []
