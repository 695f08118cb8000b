"""How parameters become arguments of `vllm serve`."""

import json

import pytest

from llmopt_core.engines.servers import ModelReference
from llmopt_core.engines.vllm.declaration import VLLM
from llmopt_core.engines.vllm.flags import flags
from llmopt_core.search.configurations import Configuration

NGRAM = {"speculative_method": "ngram", "num_speculative_tokens": 3, "prompt_lookup_max": 4}


def test_entries_of_one_argument_are_one_flag():
    """Speculation and compilation are arguments that hold JSON, under vLLM's own names."""
    found = flags({**NGRAM, "max_num_seqs": 8, "compilation_mode": "NONE", "cudagraph_capture_sizes": "1,2"})
    assert found[:2] == ("--max-num-seqs", "8")
    documents = dict(zip(found[2::2], map(json.loads, found[3::2]), strict=True))
    assert documents == {
        "--speculative-config": {"method": "ngram", "num_speculative_tokens": 3, "prompt_lookup_max": 4},
        "--compilation-config": {"mode": "NONE", "cudagraph_capture_sizes": [1, 2]},
    }


def test_no_speculation_is_no_flag():
    """The default is what a plain server does."""
    assert flags({"speculative_method": "none"}) == ()


@pytest.mark.parametrize("argument", ["--speculative-config", "-sc", "--speculative_config"])
def test_what_was_decided_replaces_what_a_command_line_said(argument):
    """In every spelling of the flag, with its value."""
    configuration = VLLM.canonical(Configuration(engine=NGRAM))
    arguments = VLLM.server.arguments(configuration, [f"engine.{name}" for name in NGRAM])
    merged = arguments.merged(["--port", "1", argument, '{"method": "mtp"}'])
    assert merged == (
        "--port",
        "1",
        "--speculative-config",
        json.dumps(NGRAM | {}).replace("speculative_method", "method"),
    )


def test_the_command_for_a_person_has_the_speculation():
    """Quoted for a shell."""
    differences = VLLM.changed(VLLM.canonical(Configuration(engine=NGRAM)))
    model = VLLM.server.model(ModelReference("org/name", repository="org/name"))
    line = VLLM.server.command(("vllm", *model), differences)
    assert '--speculative-config \'{"method": "ngram"' in line
