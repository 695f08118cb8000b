"""Each load-time parameter of llama.cpp reaches the server: by its own log, or by how it then behaves."""

import threading
import time
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from fakes.engine_cases import gguf

from llmopt_core.engines.llamacpp.declaration import LLAMACPP
from llmopt_core.errors.classes import ErrorClass
from llmopt_core.search.configurations import Configuration
from llmopt_runner.engines.failures import EngineStartFailed
from llmopt_runner.engines.probing import Probe
from llmopt_runner.engines.server import EngineServer

pytestmark = pytest.mark.slow
LIMIT_SECONDS = 120
SMALL = {"n_parallel": 1, "n_ctx": 512, "threads": 1}
LONG = "Once there was a farmer who sold apples and pears at the market of a small town by the sea. " * 3


@dataclass(frozen=True)
class Shown:
    """What is set beside the small default, and where it shows: in facts, or in a line of the log."""

    parameters: Mapping[str, Any]
    facts: Mapping[str, Any] = field(default_factory=dict)
    line: str = ""


# A model guesses well for itself: what it would say.
DRAFT = {"spec_type": "draft-simple", "spec_draft_model": str(gguf().path)}
LOOK_UP = {"spec_type": "ngram-simple"}
SHOWN = {
    "n_parallel": Shown({"n_parallel": 3, "n_ctx": 768}, {"n_parallel": 3, "n_ctx_per_slot": 256}),
    "n_ctx": Shown({"n_ctx": 1024}, {"n_ctx": 1024, "n_ctx_per_slot": 1024, "kv_cache_mib": 22.5}),
    "n_batch": Shown({"n_batch": 256, "n_ubatch": 256}, {"n_batch": 256}),
    "n_ubatch": Shown({"n_ubatch": 128}, {"n_ubatch": 128}),
    "threads": Shown({"threads": 2}, {"n_threads": 2}),
    "threads_batch": Shown({"threads_batch": 2}, {"n_threads": 1, "n_threads_batch": 2}),
    "cache_type_k": Shown({"cache_type_k": "q8_0"}, {"cache_type_k": "q8_0", "cache_type_v": "f16"}),
    "cache_type_v": Shown({"cache_type_v": "q8_0"}, {"cache_type_k": "f16", "cache_type_v": "q8_0"}),
    "flash_attn": Shown({"flash_attn": "off"}, {"flash_attn": "disabled"}),
    "cache_ram_mib": Shown({"cache_ram_mib": 0}, line="prompt cache is disabled"),
    "kv_unified": Shown({"kv_unified": True, "n_parallel": 2}, line="kv_unified = 'true'"),
    "load_mode": Shown({"load_mode": "direct_io"}, line="(load_mode = dio)"),
    "override_tensor": Shown(
        {"override_tensor": r"blk\.0\.ffn_up\.weight=CPU"}, line="tensor overrides to CPU are used"
    ),
    "spec_type": Shown({"spec_type": "ngram-mod"}, line="adding speculative implementation 'ngram-mod'"),
    "spec_ngram_simple_size_n": Shown({**LOOK_UP, "spec_ngram_simple_size_n": 4}, line="size_n=4, size_m=48"),
    "spec_ngram_simple_size_m": Shown({**LOOK_UP, "spec_ngram_simple_size_m": 8}, line="size_n=12, size_m=8"),
    "spec_draft_model": Shown(DRAFT, line="loading draft model"),
    "spec_draft_n_max": Shown({**DRAFT, "spec_draft_n_max": 5}, line="n_max=5, n_min=0, p_min=0.0"),
    "spec_draft_n_min": Shown({**DRAFT, "spec_draft_n_min": 1}, line="n_max=3, n_min=1, p_min=0.0"),
    "spec_draft_p_min": Shown({**DRAFT, "spec_draft_p_min": 0.3}, line="n_max=3, n_min=0, p_min=0.3"),
}
DEFAULT_FACTS = {
    "n_parallel": 1,
    "n_ctx": 512,
    "n_ctx_per_slot": 512,
    "n_batch": 512,
    "n_ubatch": 512,
    "n_threads": 1,
    "n_threads_batch": 1,
    "cache_type_k": "f16",
    "cache_type_v": "f16",
    "flash_attn": "enabled",
    "kv_cache_mib": 11.25,
    "weights_mib": 92.1,
}
# Shown by what the server then does; n_gpu_layers shows only where there is a GPU.
BEHAVING = {"cont_batching", "cache_prompt", "cache_reuse", "context_shift", "warmup", "n_gpu_layers", "fit"}


@pytest.fixture
def started(tmp_path, llamacpp_case):
    @contextmanager
    def start(**parameters):
        settings = llamacpp_case.settings(tmp_path, parameters={**SMALL, **parameters})
        with EngineServer(llamacpp_case.engine, settings) as server:
            server.start(LIMIT_SECONDS)
            yield llamacpp_case.served(server)

    return start


def test_no_load_time_parameter_is_left_unproven():
    """A user who declares a parameter as tried says here how it shows; the others need a GPU."""
    tried = {known.name for known in LLAMACPP.parameters.values() if known.group == "engine" and known.tried}
    assert tried == SHOWN.keys() | BEHAVING


def test_the_defaults_are_what_they_are_compared_with(started):
    """The facts of the small default are known, so that a changed one is a change."""
    with started() as served:
        facts = served.server.facts()
    assert {name: facts[name] for name in DEFAULT_FACTS} == DEFAULT_FACTS
    assert 0 < facts["load_seconds"] < LIMIT_SECONDS


@pytest.mark.parametrize("name", SHOWN)
def test_a_load_time_parameter_shows_in_the_log(started, name):
    """What the server says of itself changes as was asked."""
    shown = SHOWN[name]
    with started(**shown.parameters) as served:
        facts, log = served.server.facts(), served.server.log_text()
    assert {fact: facts[fact] for fact in shown.facts} == shown.facts
    assert shown.line in log


@pytest.mark.parametrize("fit", [True, False])
def test_what_fits_is_chosen_or_not(started, fit):
    """llama.cpp's own look at the free memory, which the default has."""
    with started(fit=fit) as served:
        assert ("fitting params to device memory" in served.server.log_text()) is fit


@pytest.mark.parametrize("parameters", [DRAFT, {**LOOK_UP, "spec_ngram_simple_size_n": 4}])
def test_guessed_tokens_are_right_and_change_no_answer(started, parameters):
    """What is guessed is only taken where the model says the same: greedy answers are as without it."""
    fields = {"temperature": 0, "max_tokens": 200, "ignore_eos": True}
    question = "Repeat: one two three four one two three four one two three four"
    with started() as served:
        plain = served.ask(fields, question=question)
    with started(**parameters) as served:
        document = served.post(fields, question=question)
    assert document["choices"][0]["message"]["content"] == plain
    assert 0 < document["timings"]["draft_n_accepted"] <= document["timings"]["draft_n"]


# Those that need a model of their own kind, or a GPU.
DECLARED_CHOICES = {"draft-eagle3", "draft-mtp"}
CHOICES = [
    (known.name, choice)
    for known in LLAMACPP.parameters.values()
    if known.group == "engine" and known.tried
    for choice in known.choices or ()
    if choice not in DECLARED_CHOICES
]


@pytest.mark.parametrize(("name", "choice"), CHOICES)
def test_every_choice_of_a_tried_parameter_is_served(started, name, choice):
    """No value is only written down: a server answers with each."""
    needed = {"spec_draft_model": DRAFT["spec_draft_model"]} if choice == DRAFT["spec_type"] else {}
    assert not LLAMACPP.conflicts(Configuration(engine={**SMALL, name: choice, **needed}))
    with started(**{name: choice}, **needed) as served:
        assert served.ask({"temperature": 0, "max_tokens": 4})


REFUSED = {
    "a model without layers that guess": ({"spec_type": "draft-mtp"}, "take spec_type draft-mtp out"),
    "no such draft": (
        {"spec_type": "draft-simple", "spec_draft_model": "/no/draft.gguf"},
        "/no/draft.gguf, could not be loaded",
    ),
    "no GPU to split": ({"split_mode": "tensor"}, "take split_mode layer"),
    "no such buffer": ({"override_tensor": "blk=NPU"}, "override_tensor (blk=NPU)"),
}


@pytest.mark.parametrize(("parameters", "advice"), REFUSED.values(), ids=REFUSED)
def test_what_a_model_or_machine_does_not_have_is_a_refused_configuration(started, parameters, advice):
    """It is neither a crash to be tried again nor a missing model that ends the study."""
    with pytest.raises(EngineStartFailed) as caught, started(**parameters):
        pass
    failure = caught.value.explained({**SMALL, **parameters})
    assert failure.error_class is ErrorClass.INVALID_CONFIGURATION
    assert advice in failure.suggestion


COMBINED = (
    {"cache_type_v": "q8_0", "flash_attn": "off"},
    {"cache_type_v": "q8_0", "flash_attn": "auto"},
    {"cache_type_v": "f16", "flash_attn": "off"},
    {"cache_type_k": "q8_0", "flash_attn": "off"},
    {"n_batch": 2, "n_parallel": 4, "n_ctx": 1024},
    {"n_batch": 4, "n_parallel": 4, "n_ctx": 1024},
)


@pytest.mark.parametrize("parameters", COMBINED, ids=str)
def test_what_does_not_go_together_is_what_the_server_does_not_serve(started, parameters):
    """The rules are llama.cpp's own: nothing is refused that it serves, and it serves nothing they refuse."""
    try:
        with started(**parameters) as served:
            answered = bool(served.ask({"temperature": 0, "max_tokens": 2}))
    except EngineStartFailed:
        answered = False
    assert answered is not bool(LLAMACPP.conflicts(Configuration(engine={**SMALL, **parameters})))


@pytest.mark.parametrize("warmup", [True, False])
def test_warmup_is_run_or_not(started, warmup):
    """The empty run before the first request is logged when it is on."""
    with started(warmup=warmup) as served:
        assert ("warming up the model" in served.server.log_text()) is warmup


@pytest.mark.parametrize("on", [True, False])
def test_cache_prompt_keeps_a_prefix_or_not(started, on):
    """A prompt that is asked again is taken from the slot's cache only when that is on."""
    with started(cache_prompt=on) as served:
        served.post({}, question=LONG)
        assert (_cached_tokens(served, LONG) > 30) is on


@pytest.mark.parametrize("chunk", [0, 16])
def test_cache_reuse_shifts_chunks_or_not(started, chunk):
    """A text that moved within the prompt is taken from the cache only when chunks may shift."""
    with started(cache_reuse=chunk) as served:
        served.post({}, question=f"Some words that go away later.\n{LONG}")
        assert (_cached_tokens(served, LONG) > 40) is (chunk > 0)


@pytest.mark.parametrize("on", [True, False])
def test_context_shift_goes_on_beyond_the_context_or_not(started, on):
    """An answer longer than the context is possible only when old tokens are dropped."""
    with started(n_ctx=256, context_shift=on) as served:
        fields = {"max_tokens": 300, "ignore_eos": True, "temperature": 0}
        tokens = served.post(fields, question="Count.")["usage"]["completion_tokens"]
    assert (tokens == 300) is on


@pytest.mark.parametrize("on", [True, False])
def test_continuous_batching_lets_a_late_request_in_or_not(started, on):
    """A short request that comes while a long one generates ends first only when it may join."""
    with started(n_parallel=2, cont_batching=on) as served:
        ends = {}

        def ask(name, tokens):
            served.post({"max_tokens": tokens, "ignore_eos": True, "temperature": 0}, question="Count.")
            ends[name] = time.monotonic()

        long = threading.Thread(target=ask, args=("long", 120))
        long.start()
        while "llamacpp:requests_processing 1" not in served.server.metrics_text():
            time.sleep(0.02)
        ask("short", 2)
        long.join()
    assert (ends["short"] < ends["long"]) is on


@pytest.mark.parametrize(
    ("cache", "fresh", "cached"),
    [
        ({"cache_prompt": True, "cache_ram_mib": 0}, True, False),
        ({"cache_prompt": True, "cache_ram_mib": 64}, False, True),
        ({"cache_prompt": False, "cache_ram_mib": 64}, True, False),
    ],
)
def test_a_server_is_made_fresh_or_loaded_again(started, llamacpp_case, cache, fresh, cached):
    """make_fresh empties the prefix cache, and says so truly: what it cannot empty still hits."""
    with started(n_parallel=2, **cache) as served:
        served.post({}, question=LONG)
        made_fresh = llamacpp_case.engine.make_fresh(served.server, Configuration(engine=cache))
        assert made_fresh is fresh
        assert (_cached_tokens(served, LONG) > 30) is cached


def test_the_server_reports_slots_as_asked(started):
    """The slots that /props counts are those that were asked for."""
    with started(n_parallel=2) as served:
        assert Probe(served.server.base_url).document("/props", 5)["total_slots"] == 2


def _cached_tokens(served, question):
    usage = served.post({}, question=question)["usage"]
    return usage["prompt_tokens_details"]["cached_tokens"]
