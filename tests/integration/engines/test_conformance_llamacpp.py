"""llama.cpp's server, and an endpoint in front of it, against what every engine must do."""

from fakes.engine_cases import LLAMACPP, EngineCase
from fakes.engine_conformance import *  # noqa: F403 - the whole suite runs over CASES

from llmopt_runner.engines.openai.engine import OpenAI

CASES = (
    LLAMACPP,
    EngineCase("openai", OpenAI(), behind=LLAMACPP, not_taken=frozenset({"repetition_penalty"})),
    # llama.cpp has its API without a version as well.
    EngineCase(
        "openai-unversioned",
        OpenAI(),
        behind=LLAMACPP,
        endpoint_path="/chat/completions",
        proven=("temperature",),
    ),
)
