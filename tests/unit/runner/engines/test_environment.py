"""What an engine gets of the runner's environment."""

import ast
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt_core.api.environment import Variable, of_candidate
from llmopt_core.engines.registry import BUILT_IN
from llmopt_runner.engines.base import LaunchSettings, ServerCommand, hub_variables
from llmopt_runner.engines.environment import engine_environment
from llmopt_runner.engines.supervised import SupervisedProcess

TOKEN = "given"  # noqa: S105 - nobody's
SECRETS = (
    Variable.STORAGE_URL,
    Variable.MODEL_TOKEN,
    Variable.ENDPOINT_API_KEY,
    Variable.EVALUATOR_API_KEY,
    of_candidate(Variable.MODEL_TOKEN, "a"),
    of_candidate(Variable.ENDPOINT_API_KEY, "a"),
)


@pytest.mark.parametrize(
    "name",
    [
        *SECRETS, "AWS_SECRET_ACCESS_KEY", "OPENAI_API_KEY", "GITHUB_TOKEN", "PGPASSWORD", "DATABASE_URL",
        "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HUGGINGFACE_TOKEN", "VLLM_API_KEY", "LLAMA_API_KEY",
        "LLAMA_ARG_N_PARALLEL", "KUBERNETES_SERVICE_HOST", "anything",
    ],
)  # fmt: skip
def test_secrets_and_what_nobody_allowed_do_not_pass(name):
    """Also those that begin as an allowed name does, and flags in disguise that no manifest has."""
    assert name not in engine_environment({name: "x"}, {}, mark="m")


@pytest.mark.parametrize(
    "name",
    [
        "PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES",
        "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "HF_HOME", "HF_HUB_OFFLINE", "HF_HUB_CACHE",
        "HF_ENDPOINT", "LD_LIBRARY_PATH", "LD_PRELOAD", "OMP_NUM_THREADS", "MKL_NUM_THREADS",
        "https_proxy", "NO_PROXY",
        "SSL_CERT_FILE", "TORCH_HOME", "XDG_CACHE_HOME", "TOKENIZERS_PARALLELISM",
        "TRANSFORMERS_CACHE", "PYTHONPATH", "TRITON_CACHE_DIR", "PYTORCH_CUDA_ALLOC_CONF", "LLMOPT_SESSION",
    ],
)  # fmt: skip
def test_what_engines_need_passes(name):
    """Devices, caches, threads, proxies and certificates are found as the runner would."""
    assert engine_environment({name: "x"}, {}, mark="m")[name] == "x"


def test_an_engines_own_variables_are_its_own():
    """What one engine declares to read, no other one is given; a secret passes to none."""
    own = {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_API_KEY": "x"}
    passed = BUILT_IN["vllm"].packaging.variables
    assert "VLLM_CPU_KVCACHE_SPACE" not in engine_environment(own, {}, mark="m")
    environment = engine_environment(own, {}, mark="m", passed=passed)
    assert environment["VLLM_CPU_KVCACHE_SPACE"] == "1"
    assert "VLLM_API_KEY" not in environment


def test_a_user_can_name_more_but_no_secret_of_this_project():
    """The variable's names are added to the list; the database's address is for no engine."""
    own = {"LLMOPT_ENGINE_VARIABLES": "MY_LICENCE, LLMOPT_STORAGE_URL", "MY_LICENCE": "a", SECRETS[0]: "b"}
    environment = engine_environment(own, {}, mark="m")
    assert environment["MY_LICENCE"] == "a"
    assert SECRETS[0] not in environment


def test_what_was_compiled_is_kept_in_one_folder():
    """For torch, Triton and the engine's own cache; a place that a user names for one of them stays."""
    own = {"LLMOPT_COMPILE_CACHE": "/keep", "TRITON_CACHE_DIR": "/mine"}
    environment = engine_environment(own, {}, mark="m", caches=BUILT_IN["vllm"].packaging.caches)
    assert environment["TORCHINDUCTOR_CACHE_DIR"] == "/keep/torchinductor"
    assert environment["VLLM_CACHE_ROOT"] == "/keep/vllm"
    assert environment["TRITON_CACHE_DIR"] == "/mine"


def test_without_a_folder_engines_keep_what_they_compiled_where_they_usually_do():
    """But for torch, whose usual place is among the temporary files, which go with each start."""
    environment = engine_environment({}, {}, mark="m", caches=BUILT_IN["vllm"].packaging.caches)
    assert "VLLM_CACHE_ROOT" not in environment
    assert "torchinductor_" in environment["TORCHINDUCTOR_CACHE_DIR"]


@given(
    st.dictionaries(st.text(max_size=20), st.text(max_size=5)),
    st.dictionaries(st.text(max_size=8), st.text()),
)
def test_the_mark_is_first_and_what_is_given_wins(own, given_variables):
    """Processes name themselves by the first variable, and an engine's own settings are never replaced."""
    environment = engine_environment({**own, "PATH": "/bin"}, given_variables, mark="m")
    assert next(iter(environment)) == Variable.ENGINE_MARK
    assert given_variables.items() <= environment.items()


def test_a_started_engine_has_none_of_the_secrets(tmp_path, monkeypatch):
    """The process itself says what it was given, its mark before all else."""
    for name in (*SECRETS, "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "secret")
    program = "import pathlib; print(pathlib.Path('/proc/self/environ').read_bytes())"
    command = ServerCommand((sys.executable, "-I", "-c", program), {"GIVEN": "1"})
    log = tmp_path / "log"
    engine = SupervisedProcess(command, log_path=log, workdir=tmp_path, grace_seconds=1)
    assert engine.wait(30)
    engine.end()
    first, *others = ast.literal_eval(log.read_text()).decode().split("\0")
    assert first.startswith(f"{Variable.ENGINE_MARK}=")
    assert "GIVEN=1" in others
    assert not [entry for entry in others if "secret" in entry]


def test_a_token_goes_only_to_an_engine_that_loads_from_the_hub(tmp_path, monkeypatch):
    """The manifest's token goes before the user's own, and a model that is here needs none."""
    hub = LaunchSettings(None, "org/model", tmp_path, tmp_path / "log", model_token=TOKEN)
    here = LaunchSettings(tmp_path, "model", tmp_path, tmp_path / "log", model_token=TOKEN)
    monkeypatch.setenv("HF_TOKEN", "own")
    assert hub_variables(hub) == {"HF_TOKEN": TOKEN}
    assert hub_variables(here) == {}
    assert hub_variables(LaunchSettings(None, "org/model", tmp_path, tmp_path / "log")) == {"HF_TOKEN": "own"}
