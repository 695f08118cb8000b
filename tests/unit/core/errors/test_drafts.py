"""A draft model that cannot be used is one value of a parameter, and no reason to end a study."""

from pathlib import Path

import pytest

from llmopt_core.engines.registry import BUILT_IN
from llmopt_core.errors.classes import ErrorClass, RetryPolicy
from llmopt_core.errors.classification import Evidence, classify
from llmopt_core.errors.policies import POLICIES

_EXCERPTS = Path(__file__).with_name("excerpts")
_WITH_DRAFTS = {name: engine for name, engine in BUILT_IN.items() if engine.logs.draft is not None}
# Lines of transformers, the hub's library and safetensors, on which servers are built.
_NO_IDENTIFIER = (
    "OSError: {name} is not a local folder and is not a valid model identifier listed on"
    " 'https://huggingface.co/models'\n"
)
_NOT_ON_THE_HUB = (
    "huggingface_hub.errors.RepositoryNotFoundError: 404 Client Error. (Request ID: Root=1-2)\n\n"
    "Repository Not Found for url: https://huggingface.co/api/models/{name}.\n"
)
_GATED = (
    "huggingface_hub.errors.GatedRepoError: 401 Client Error. (Request ID: Root=1-2)\n\n"
    "Cannot access gated repo for url https://huggingface.co/{name}/resolve/main/config.json.\n"
)
_BAD_ID = (
    "huggingface_hub.errors.HFValidationError: Repo id must be in the form 'repo_name' or"
    " 'namespace/repo_name': '{name}'. Use `repo_type` argument if needed.\n"
)
_NO_REPOSITORY = "ValueError: Invalid repository ID or local directory specified: '{name}'.\n"
_NO_WEIGHTS = "RuntimeError: Cannot find any model weights with `{name}`\n"
_OF_BOTH = (_NOT_ON_THE_HUB, _GATED, _BAD_ID, _NO_WEIGHTS)
_DAMAGED = "safetensors_rust.SafetensorError: Error while deserializing header: incomplete metadata\n"


def _failure(engine, log, draft="org/draft"):
    logs = BUILT_IN[engine].logs
    numbers = {} if draft is None else {logs.draft.parameter: draft}
    # Servers log their own arguments first: a name there says nothing.
    started = f"server_args=ServerArgs(model_path='/models/own', draft='{draft}')\n"
    evidence = Evidence(started + log, 1, None, numbers, logs.patterns, logs.draft)
    return classify(evidence)


@pytest.mark.parametrize(
    ("engine", "line"),
    [
        *(("sglang", line) for line in (_NO_IDENTIFIER, *_OF_BOTH)),
        *(("vllm", line) for line in (_NO_REPOSITORY, *_OF_BOTH)),
    ],
)
def test_what_is_said_of_the_draft_model_is_its_own(engine, line):
    """The configuration does not work here; the message is the engine's, and the parameter is named."""
    failure = _failure(engine, line.format(name="org/draft"))
    draft = BUILT_IN[engine].logs.draft
    assert failure.error_class is ErrorClass.INVALID_CONFIGURATION
    assert POLICIES[failure.error_class] is RetryPolicy.INFEASIBLE
    assert failure.message == line.format(name="org/draft").splitlines()[0]
    assert f"The model that guesses, {draft.parameter} (org/draft), cannot be used" in failure.suggestion
    assert failure.remedies == (draft.remedy,)


@pytest.mark.parametrize("line", _OF_BOTH)
@pytest.mark.parametrize("engine", ["sglang", "vllm"])
@pytest.mark.parametrize(
    ("name", "draft"),
    [
        ("org/model", "org/draft"),
        ("org/draft-70b", "org/draft"),
        ("org/draft.v2", "org/draft"),
        ("otherorg/draft", "org/draft"),
        ("org/model", None),
    ],
)
def test_what_is_said_of_the_model_stays_fatal(engine, line, name, draft):
    """Another model may be called alike."""
    failure = _failure(engine, line.format(name=name), draft)
    assert POLICIES[failure.error_class] is RetryPolicy.FATAL


def test_a_file_of_the_draft_model_is_its_own():
    """Where the log names a file in the draft's folder."""
    log = "OSError: the config file at '/models/draft/config.json' is not a valid JSON file.\n"
    assert _failure("sglang", log, "/models/draft").error_class is ErrorClass.INVALID_CONFIGURATION
    assert _failure("sglang", log, "/models/other").error_class is ErrorClass.MODEL_CORRUPT


def test_damaged_weights_are_the_drafts_where_it_was_being_loaded():
    """vLLM says when it turns to the draft model; before that the model's own weights are meant."""
    loading = "INFO 11-27 08:00:00 [gpu_model_runner.py:5071] Loading drafter model...\n"
    assert _failure("vllm", loading + _DAMAGED).error_class is ErrorClass.INVALID_CONFIGURATION
    assert _failure("vllm", _DAMAGED + loading).error_class is ErrorClass.MODEL_CORRUPT
    assert _failure("vllm", loading + _DAMAGED, None).error_class is ErrorClass.MODEL_CORRUPT


def test_what_ends_an_engine_besides_its_models_stays_what_it_is():
    """A GPU for which there is no kernel does not get one without a draft model."""
    log = (_EXCERPTS / "vllm/gpu-no-kernel-image.log").read_text()
    loading = "Loading drafter model...\n"
    assert _failure("vllm", loading + log).error_class is ErrorClass.ENGINE_NOT_INSTALLED


def test_a_real_log_of_vllm_without_weights_is_the_drafts_where_it_names_it():
    """The same log, of a model or of a draft model of that name."""
    log = (_EXCERPTS / "vllm/no-weights.log").read_text()
    assert _failure("vllm", log, "/models/noweights").error_class is ErrorClass.INVALID_CONFIGURATION
    assert _failure("vllm", log, "/models/draft").error_class is ErrorClass.MODEL_NOT_FOUND


@pytest.mark.parametrize("name", _WITH_DRAFTS)
def test_the_remedy_is_a_value_that_the_engine_takes(name):
    """It does without a draft model, by parameters that are declared."""
    declaration, draft = _WITH_DRAFTS[name], _WITH_DRAFTS[name].logs.draft
    assert f"engine.{draft.parameter}" in declaration.parameters
    assert draft.remedy.value in declaration.parameters[f"engine.{draft.remedy.parameter}"].choices


def test_every_engine_that_guesses_with_a_model_says_so():
    """An engine with a parameter for a second model declares it."""
    named = {
        name
        for name, engine in BUILT_IN.items()
        for each in engine.parameters.values()
        if each.kind == "text" and "model that guesses" in each.meaning
    }
    assert named == set(_WITH_DRAFTS) == {"llamacpp", "sglang", "vllm"}
