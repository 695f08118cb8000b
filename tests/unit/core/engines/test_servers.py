"""What a server elsewhere is told of a configuration, engine by engine."""

import json

from llmopt_core.engines.llamacpp import LLAMACPP
from llmopt_core.engines.llamacpp_serving import LLAMACPP_SERVER
from llmopt_core.engines.transformers import TRANSFORMERS
from llmopt_core.engines.transformers_serving import TRANSFORMERS_SERVER
from llmopt_core.engines.vllm import VLLM
from llmopt_core.engines.vllm_serving import VLLM_SERVER
from llmopt_core.search.configurations import Configuration


def test_llama_server_has_a_flag_for_everything():
    """Every decided parameter is said, defaults too; what was not decided is not."""
    configuration = LLAMACPP.canonical(
        Configuration(engine={"n_parallel": 4, "cache_prompt": False}, sampling={"temperature": 0.0})
    )
    serve = LLAMACPP_SERVER.arguments(
        configuration, {"engine.n_parallel", "engine.cache_prompt", "engine.n_batch", "sampling.temperature"}
    )
    assert serve.merged(["-m", "x.gguf", "-np", "1", "--cache-prompt", "-c", "512"]) == (
        "-m", "x.gguf", "-c", "512", *serve.told,
    )  # fmt: skip
    assert sorted(serve.told) == sorted(
        ["--no-cache-prompt", "--batch-size", "2048", "--parallel", "4", "--temp", "0.0"]
    )


def test_transformers_serve_has_no_flags_for_sampling():
    """The decided flags take the place of what was said; sampling goes with each request."""
    configuration = TRANSFORMERS.canonical(
        Configuration(
            engine={"dtype": "float32", "continuous_batching": False}, sampling={"temperature": 0.5}
        )
    )
    decided = {"engine.dtype", "engine.continuous_batching", "sampling.temperature"}
    serve = TRANSFORMERS_SERVER.arguments(configuration, decided)
    assert serve.merged(["serve", "m", "--dtype", "bfloat16", "--continuous-batching"]) == (
        "serve", "m", *serve.told,
    )  # fmt: skip
    assert sorted(serve.told) == ["--dtype", "--no-continuous-batching", "float32"]
    assert serve.untold == ("temperature=0.5 goes with each request",)


def test_vllm_serve_takes_sampling_as_its_default():
    """Decided parameters take the place of what was said; what is no argument is told apart."""
    configuration = VLLM.canonical(
        Configuration(
            engine={
                "max_num_seqs": 4,
                "enforce_eager": True,
                "kv_cache_memory_mib": 2,
                "cpu_threads_bind": "0",
            },
            sampling={"temperature": 0.5, "seed": 3},
        )
    )
    serve = VLLM_SERVER.arguments(configuration, set(configuration.flat()) - {"sampling.min_p"})
    before = [
        "serve",
        "m",
        "--max_num_seqs=9",
        "--no-enforce-eager",
        "--kv-cache-memory-bytes",
        "1",
        "-tp",
        "2",
    ]
    merged = serve.merged([*before, "--override-generation-config", "{}"])
    assert merged[:2] == ("serve", "m")
    assert merged[2:] == serve.told
    assert serve.told[serve.told.index("--kv-cache-memory-bytes") + 1] == str(2 * 2**20)
    assert json.loads(serve.told[serve.told.index("--override-generation-config") + 1])["temperature"] == 0.5
    assert serve.untold == (
        "VLLM_CPU_OMP_THREADS_BIND=0 is an environment variable",
        "seed=3 goes with each request",
    )
