"""The fake server is the measure of other tests, so it is tested itself, by a client that is not ours."""

import http.client
import json
import subprocess
import sys
from pathlib import Path

import pytest
from fakes.openai_server import FakeOptions, FakeServer

TESTS = Path(__file__).parents[2]
SUMS = {f"{a} + {b}": str(a + b) for a in range(10, 20) for b in range(5)}


def post(server, content, **fields):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    body = {"model": "m", "messages": [{"role": "user", "content": content}], **fields}
    connection.request("POST", "/v1/chat/completions", json.dumps(body))
    response = connection.getresponse()
    said = response.read().decode()
    connection.close()
    return response.status, said


def answer(server, content, **fields):
    return json.loads(post(server, content, **fields)[1])["choices"][0]["message"]["content"]


@pytest.fixture(scope="module")
def server():
    with FakeServer(FakeOptions(ttft_ms=1, gap_ms=0.5, tokens=3, model="small")) as running:
        yield running


def test_the_usual_pages_are_there(server):
    """Health, the list of models and metrics answer as an engine's do."""
    assert json.loads(server.page("/health")) == {"status": "ok"}
    assert json.loads(server.page("/v1/models"))["data"][0]["id"] == "small"
    post(server, "x")
    assert "fake:requests_running 0" in server.page("/metrics")
    assert "no such page" in server.page("/nowhere")


def test_content_may_be_a_list_of_parts(server):
    """Some clients send parts; the question is their text."""
    post(server, [{"type": "text", "text": "in "}, {"type": "text", "text": "parts"}])
    assert server.truth()[-1].question == "in parts"


def test_an_answer_can_come_whole(server):
    """Without `stream` the answer is one document with its usage."""
    document = json.loads(post(server, "two words")[1])
    assert document["choices"][0]["message"]["content"] == "t0 t1 t2 "
    assert document["usage"]["total_tokens"] == 5


def test_a_stream_ends_with_usage_without_choices_and_done(server):
    """The stream has the form of vLLM's: role first, usage last, then [DONE]."""
    events = post(server, "x", stream=True)[1].strip().split("\n\n")
    documents = [json.loads(event.removeprefix("data: ")) for event in events[:-1]]
    assert documents[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert documents[-2]["choices"][0]["finish_reason"] == "stop"
    assert (documents[-1]["choices"], documents[-1]["usage"]["completion_tokens"]) == ([], 3)
    assert events[-1] == "data: [DONE]"


@pytest.mark.parametrize("content", ["", None])
def test_nonsense_is_answered_with_400(server, content):
    """A body that is no request gets an error document, and the server lives on."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("POST", "/v1/chat/completions", json.dumps({"messages": content}))
    response = connection.getresponse()
    assert (response.status, "bad request" in response.read().decode()) == (400, True)
    connection.close()
    assert post(server, "x")[0] == 200


def test_the_truth_keeps_to_the_plan(server):
    """Tokens are written when they were due, at most some milliseconds late, never early."""
    post(server, "plan", stream=True)
    truth = server.truth()[-1]
    lateness = [real - due for real, due in zip(truth.token_times, truth.planned, strict=True)]
    assert min(lateness) >= 0
    assert min(lateness) < 0.005
    assert truth.planned[0] - truth.received_at == pytest.approx(0.001)


def test_equal_seeds_plan_alike():
    """The latencies of the n-th request depend on the seed and n alone."""

    def plan(seed):
        with FakeServer(FakeOptions(seed=seed, ttft_jitter_ms=5, gap_jitter_ms=5, tokens=4)) as server:
            post(server, "x", stream=True)
            (truth,) = server.truth()
        return [due - truth.received_at for due in truth.planned]

    assert plan(1) == pytest.approx(plan(1), abs=1e-6)
    assert plan(1) != pytest.approx(plan(2), abs=1e-6)


def test_a_table_is_answered_rightly_until_the_temperature_rises():
    """Quality has a known truth: all right when cold, about half at the temperature that costs half."""
    options = FakeOptions(ttft_ms=0, gap_ms=0, answers=SUMS, right_loss_per_temperature=0.5)
    with FakeServer(options) as server:

        def share(temperature):
            said = [answer(server, f"What is {sum_}?", temperature=temperature) for sum_ in SUMS]
            return sum(one == right for one, right in zip(said, SUMS.values(), strict=True)) / len(SUMS)

        assert share(0) == 1.0
        assert 0.25 < share(1.0) < 0.75
        assert share(2.0) == 0.0


def test_the_command_takes_each_option_by_name():
    """It runs as a command of its own and says where it listens."""
    command = [
        sys.executable,
        "-m",
        "fakes.openai_server",
        "--port",
        "0",
        "--model",
        "named",
        "--tokens",
        "2",
    ]
    with subprocess.Popen(
        [*command, "--ttft-ms", "1", "--faults", '{"2": "status=500"}', "--role-chunk", "false"],
        stdout=subprocess.PIPE,
        cwd=TESTS,
        text=True,
    ) as process:
        try:
            running = FakeServer()
            running.port = int(process.stdout.readline().rsplit(":", 1)[1])
            assert answer(running, "x") == "t0 t1 "
            assert post(running, "y")[0] == 500
            assert json.loads(running.page("/v1/models"))["data"][0]["id"] == "named"
        finally:
            process.kill()


def test_it_ends_with_the_process_that_started_it():
    """A test that is killed leaves no server behind: the closed pipe ends it."""
    command = [sys.executable, "-m", "fakes.openai_server", "--end-with-stdin"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=TESTS) as process:
        process.stdout.readline()
        process.stdin.close()
        assert process.wait(timeout=30) == 0
