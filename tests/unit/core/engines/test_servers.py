"""The command line of a server elsewhere for a configuration, engine by engine."""

import json

import pytest

from llmopt_core.engines.llamacpp.declaration import LLAMACPP
from llmopt_core.engines.llamacpp.serving import LLAMACPP_SERVER
from llmopt_core.engines.openai.declaration import OPENAI
from llmopt_core.engines.recommendations import decided_arguments, recommend
from llmopt_core.engines.servers import ModelReference
from llmopt_core.engines.transformers.bnb_4bit import LAUNCHER
from llmopt_core.engines.transformers.declaration import TRANSFORMERS
from llmopt_core.engines.transformers.serving import TRANSFORMERS_SERVER
from llmopt_core.engines.vllm.declaration import VLLM
from llmopt_core.engines.vllm.serving import VLLM_SERVER
from llmopt_core.search.configurations import Configuration, Value


def test_llama_server_has_a_flag_for_everything():
    """Every decided parameter is said, defaults too; what was not decided is not."""
    configuration = LLAMACPP.canonical(
        Configuration(engine={"n_parallel": 4, "cache_prompt": False}, sampling={"temperature": 0.0})
    )
    serve = LLAMACPP_SERVER.arguments(
        configuration, {"engine.n_parallel", "engine.cache_prompt", "engine.n_batch", "sampling.temperature"}
    )
    assert serve.merged(["-m", "x.gguf", "-np", "1", "--cache-prompt", "-c", "512"]) == (
        "-m", "x.gguf", "-c", "512", *serve.given,
    )  # fmt: skip
    assert sorted(serve.given) == sorted(
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
        "serve", "m", *serve.given,
    )  # fmt: skip
    assert sorted(serve.given) == ["--dtype", "--no-continuous-batching", "float32"]
    assert serve.omitted == ("temperature=0.5 goes with each request",)


def test_4bit_options_are_flags_of_another_start_only():
    """Where the server has them anyway nothing is said; else no argument of the plain server can say them."""
    engine: dict[str, Value] = {"quantization": "bnb-4bit", "bnb_4bit_quant_type": "nf4"}
    decided = {f"engine.{name}" for name in engine}
    serve = TRANSFORMERS_SERVER.arguments(TRANSFORMERS.canonical(Configuration(engine=engine)), decided)
    assert (serve.given, serve.omitted) == (("--quantization", "bnb-4bit"), ())
    assert serve.merged(["serve", "m", "--bnb-4bit-quant-type", "fp4"]) == ("serve", "m", *serve.given)
    engine["bnb_4bit_quant_type"] = "fp4"
    serve = TRANSFORMERS_SERVER.arguments(TRANSFORMERS.canonical(Configuration(engine=engine)), decided)
    assert serve.given == ("--quantization", "bnb-4bit")
    (omitted,) = serve.omitted
    assert omitted == f"bnb_4bit_quant_type=fp4 is a flag of python -m {LAUNCHER} only"


def test_vllm_serve_takes_sampling_as_its_default():
    """Decided parameters take the place of what was said; what is no argument is listed apart."""
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
    assert merged[2:] == serve.given
    assert serve.given[serve.given.index("--kv-cache-memory-bytes") + 1] == str(2 * 2**20)
    assert (
        json.loads(serve.given[serve.given.index("--override-generation-config") + 1])["temperature"] == 0.5
    )
    assert serve.omitted == (
        "VLLM_CPU_OMP_THREADS_BIND=0 is an environment variable",
        "seed=3 goes with each request",
    )


@pytest.mark.parametrize(
    ("source", "llamacpp", "vllm"),
    [
        (
            "hf://org/name/sub/file.gguf@main",
            ("--hf-repo", "org/name", "--hf-file", "sub/file.gguf", "--alias", "file"),
            None,
        ),
        (
            "hf://org/name@v1",
            None,
            ("serve", "org/name", "--revision", "v1", "--served-model-name", "org/name"),
        ),
        (
            "pvc://claim/a/file.gguf",
            ("--model", "/models/claim/a/file.gguf", "--alias", "file"),
            ("serve", "/models/claim/a/file.gguf", "--served-model-name", "file"),
        ),
        (
            "file:///data/model",
            ("--model", "/data/model", "--alias", "model"),
            ("serve", "/data/model", "--served-model-name", "model"),
        ),
        (
            "package://python_package/file.gguf",
            ("--model", "file.gguf", "--alias", "file"),
            ("serve", "file.gguf", "--served-model-name", "file"),
        ),
    ],
)
def test_a_source_becomes_what_a_server_gets(
    source: str, llamacpp: tuple[str, ...] | None, vllm: tuple[str, ...] | None
) -> None:
    """A repository, a claim, a path and a package's file are given in each server's words."""
    reference = ModelReference.of(source)
    assert LLAMACPP_SERVER.model(reference) == llamacpp
    assert VLLM_SERVER.model(reference) == vllm


def test_the_commands_serve_what_was_recommended() -> None:
    """A recommendation for each engine: what differs from its defaults, and what goes with each request."""
    reference = ModelReference.of("hf://org/name", trust_remote_code=True)
    searched: dict[str, Value] = {"sampling.temperature": 0.5, "engine.dtype": "float32"}
    configuration = VLLM.canonical(Configuration.from_flat(searched))
    recommended = recommend(VLLM, reference, configuration, searched=searched, fixed={})
    assert recommended.command == (
        "vllm serve org/name --served-model-name org/name --trust-remote-code --dtype float32"
        """ --override-generation-config '{"temperature": 0.5}'"""
    )
    assert recommended.request_fields == {"temperature": 0.5}
    configuration = TRANSFORMERS.canonical(Configuration.from_flat(searched))
    recommended = recommend(TRANSFORMERS, reference, configuration, searched=searched, fixed={})
    assert recommended.command is not None
    assert recommended.command.startswith("transformers serve org/name --trust-remote-code --dtype float32\n")
    assert json.loads(recommended.request_fields["generation_config"]) == {
        "do_sample": True,
        "temperature": 0.5,
    }
    configuration = OPENAI.canonical(Configuration.from_flat({"sampling.temperature": 0.5}))
    recommended = recommend(OPENAI, reference, configuration, searched=searched, fixed={})
    assert (recommended.command, recommended.arguments, dict(recommended.request_fields)) == (
        None,
        None,
        {"temperature": 0.5},
    )


def test_a_command_with_4bit_options_says_what_it_needs() -> None:
    """The server is started by the module that has the flags; what must be installed stands beside it."""
    engine: dict[str, Value] = {"engine.quantization": "bnb-4bit", "engine.bnb_4bit_use_double_quant": False}
    configuration = TRANSFORMERS.canonical(
        Configuration.from_flat({**engine, "sampling.cache_implementation": "static", "engine.threads": 2})
    )
    recommended = recommend(
        TRANSFORMERS, ModelReference.of("hf://org/name"), configuration, searched=engine, fixed={}
    )
    assert recommended.command == (
        f"env OMP_NUM_THREADS=2 python -m {LAUNCHER} serve org/name --no-bnb-4bit-use-double-quant"
        " --quantization bnb-4bit\n"
        """# send with each request: {"generation_config": "{\\"cache_implementation\\": \\"static\\"}"}\n"""
        f"# it needs {recommended.needs}"
    )
    assert recommended.needs == (
        "the extra transformers of llmopt, for transformers serve has no flag for bnb_4bit_use_double_quant"
    )
    plain = recommend(
        TRANSFORMERS, ModelReference.of("hf://org/name"), Configuration(), searched={}, fixed={}
    )
    assert (plain.command, plain.needs) == ("transformers serve org/name", "")


def test_a_prompt_is_no_argument() -> None:
    """A searched prompt is named as what clients have to send."""
    searched: dict[str, Value] = {"prompt.few_shot": 2}
    configuration = LLAMACPP.canonical(Configuration.from_flat(searched))
    arguments = decided_arguments(LLAMACPP, configuration, searched=searched, fixed={"prompt.few_shot": 0})
    assert arguments is not None
    assert arguments.omitted == ("prompt.few_shot is set by the client with each request",)
