"""What a server says of itself, whatever it is."""

import json

import pytest
from fakes.fake_engine import FakeEngine
from fakes.raw_server import RawServer, answer
from hypothesis import given, settings
from hypothesis import strategies as st

from llmopt_runner.engines.base import LaunchSettings, model_ids
from llmopt_runner.engines.llamacpp import facts as llamacpp_facts
from llmopt_runner.engines.probing import NotReady, Probe, Refused
from llmopt_runner.engines.vllm import facts as vllm_facts

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["data", "id", "choices", "message", "content", "usage", "completion_tokens", "error"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


def completion(document):
    with RawServer(answer(json.dumps(document).encode())) as server:
        return Probe(server.url).complete("m", {}, 10)


@pytest.mark.parametrize(
    ("message", "more"),
    [
        ({"content": "hello"}, {}),
        ({"content": "", "reasoning": "hm"}, {}),
        ({"content": None, "thinking": "hm"}, {}),
        ({"content": [{"type": "thinking", "thinking": []}]}, {}),
        ({"content": ""}, {"usage": {"completion_tokens": 4}}),
        ({"content": ""}, {"finish_reason": "length"}),
    ],
)
def test_a_completion_is_one_that_has_tokens(message, more):
    """Text, reasoning under any name, a count, or a cut at the limit: tokens came."""
    finish = more.pop("finish_reason", "stop")
    completion({"choices": [{"message": message, "finish_reason": finish}], **more})


@pytest.mark.parametrize(
    "body",
    [b"", b"oops", b"[1]", b"[" * 100_000, b"9" * 5000, b'{"a":' * 100_000, b"\xff\xfe", b'{"choices": {}}',
     b'{"choices": [{"message": {"content": ""}}]}', b'{"usage": [], "choices": [{"message": {}}]}'],
)  # fmt: skip
def test_what_is_no_completion_is_not_ready(body):
    """Anything else is one error that shows what came, and a later try may succeed."""
    with RawServer(answer(body)) as server, pytest.raises(NotReady, match="/v1/chat/completions"):
        Probe(server.url).complete("m", {}, 10)


@settings(max_examples=40)
@given(JSON)
def test_any_document_is_a_completion_or_not_ready(document):
    """A document of any shape gives an answer or NotReady, never another exception."""
    try:
        completion(document)
    except NotReady as error:
        str(error).encode()


@pytest.mark.parametrize("status", [400, 401, 404])
def test_a_refusal_keeps_its_status(status):
    """The server's own words are part of it."""
    with RawServer(answer(b'{"error": "no"}', status=status)) as server, pytest.raises(Refused) as caught:
        Probe(server.url).complete("m", {}, 10)
    assert caught.value.status == status
    assert "no" in str(caught.value)


def test_a_redirect_is_not_ready_and_keeps_the_key():
    """The key stays with the address that it was given for."""
    with RawServer(answer(b"{}")) as other:
        redirect = answer(b"", status=302, headers=[f"Location: {other.url}/v1/models"])
        with RawServer(redirect) as server, pytest.raises(NotReady, match=f"redirects to {other.url}"):
            Probe(server.url, "key-1").models(10)
        assert other.requests == []


@given(JSON)
def test_any_list_of_models_is_read(document):
    """`/v1/models` of any shape names ids that are text, or none."""
    document = document if isinstance(document, dict) else {"data": document}
    assert all(isinstance(each, str) for each in model_ids(document))


def test_a_model_that_is_no_entry_names_nothing(tmp_path):
    """Entries of other types and ids that are no text are passed over."""
    models = {"data": [None, 1, "a", {"id": None}, {"id": 5}, {"id": "ours"}]}
    assert FakeEngine().served_name(models, LaunchSettings(None, "ours", tmp_path, tmp_path / "l")) == "ours"
    assert model_ids(models) == ("ours",)


NUMBERS = st.text("0123456789.,-einfa", min_size=1, max_size=20) | st.just("9" * 5000)


@given(NUMBERS, st.sampled_from(["None", "x", '"', "\\"]))
def test_any_metrics_and_logs_give_finite_facts_or_none(number, other):
    """Numbers of any form are read or left out: what is stored is JSON with finite numbers."""
    metrics = (
        f'vllm:cache_config_info{{block_size="{number}",kv_cache_memory_bytes="{number}",x="{other}"}} 1.0\n'
        f'vllm:num_preemptions_total {number}\nvllm:prefix_cache_hits_total{{a="{other}"}} {number}\n'
    )
    log = f"Model loading took {number} GiB\nmodel buffer size = {number} MiB\nn_slots = {number}\n"
    for facts in (
        vllm_facts.read_facts(log, metrics),
        vllm_facts.read_counters(metrics),
        llamacpp_facts.read_facts(log),
    ):
        json.dumps(facts, allow_nan=False)


@given(st.text(max_size=100))
def test_any_metrics_text_is_read(text):
    """A page that is no metrics gives no facts and no exception."""
    vllm_facts.read_facts(text, text)
    vllm_facts.read_counters(text)
    llamacpp_facts.read_facts(text)


@pytest.mark.parametrize(
    ("base", "path"),
    [
        ("", "/v1/models"),
        ("/api/paas/v4", "/api/paas/v4/models"),
        ("/v1beta/openai", "/v1beta/openai/models"),
        ("/team", "/team/v1/models"),
    ],
)
def test_the_api_is_asked_where_the_address_says_that_it_is(base, path):
    """A path with a version is the API's own; below any other it is at /v1."""
    with RawServer(answer(b'{"data": []}')) as server:
        Probe(f"{server.url}{base}").models(5)
    assert server.requests[0].startswith(f"GET {path} HTTP/1.1")
