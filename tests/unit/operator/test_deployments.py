import json
from dataclasses import asdict
from typing import Any

import pytest

from llmopt_core.api.objects import Annotation
from llmopt_operator.domain.actions import WriteArguments
from llmopt_operator.domain.observed import Availability, RolloutNote
from llmopt_operator.specs.deployments import arguments_patch, deployment_seen

NOTE = RolloutNote("uid", "hash", 7, "main", ("a",), ("b",), 1.5)


def _body(*, spec: dict[str, Any] | None = None, **status: Any) -> dict[str, Any]:
    container = {"name": "main", "command": ["vllm"], "args": ["serve"]}
    return {
        "metadata": {"name": "server", "resourceVersion": "5", "generation": 2, "annotations": {}},
        "spec": {"replicas": 2, "template": {"spec": {"containers": [container]}}, **(spec or {})},
        "status": {"observedGeneration": 2, **status},
    }


LATE = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "late"}
ALL = {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}


@pytest.mark.parametrize(
    ("body", "availability", "words"),
    [
        (_body(**ALL), Availability.AVAILABLE, ""),
        (_body(**{**ALL, "observedGeneration": 1}), Availability.WAITING, "not seen yet"),
        (_body(**{**ALL, "replicas": 3}), Availability.WAITING, "2 of 2"),
        (_body(**{**ALL, "availableReplicas": 1}), Availability.WAITING, "1 of 2"),
        (_body(**{**ALL, "updatedReplicas": 1}), Availability.WAITING, "1 of 2"),
        (_body(conditions=[LATE]), Availability.FAILED, "late"),
        (_body(spec={"paused": True}), Availability.WAITING, "paused"),
        (_body(spec={"replicas": 0}), Availability.WAITING, "scaled to 0"),
        (_body(), Availability.WAITING, "0 of 2"),
    ],
)
def test_how_far_it_is(body: dict[str, Any], availability: Availability, words: str) -> None:
    """Available is what `kubectl rollout status` waits for."""
    seen = deployment_seen(body)
    assert seen.availability is availability
    assert words in seen.message


def test_a_note_is_read_as_it_was_written() -> None:
    """What the patch writes says of the Deployment what was decided."""
    patch = arguments_patch(WriteArguments("server", "5", NOTE))
    assert patch["metadata"]["resourceVersion"] == "5"
    assert patch["spec"]["template"]["spec"]["containers"] == [{"name": "main", "args": ["b"]}]
    body = _body()
    body["metadata"]["annotations"] = patch["metadata"]["annotations"]
    assert deployment_seen(body).note == NOTE


_SOUND = json.dumps(asdict(NOTE))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "7",
        "null",
        "\ud800",
        '{"former": 1, "arguments": []}',
        '{"former": [], "arguments": []}',
        *(
            json.dumps({**asdict(NOTE), name: value})
            for name, value in (
                ("started_at", "soon"),
                ("started_at", None),
                ("uid", 5),
                ("former", [1]),
                ("arguments", "serve"),
                ("failure", []),
            )
        ),
        "[" * 100_000,
        _SOUND[:-1],
    ],
)
def test_what_people_wrote_into_the_note_is_no_note(text: str) -> None:
    """An annotation that is not ours does not stop the operator."""
    body = _body()
    body["metadata"]["annotations"] = {Annotation.ROLLOUT: text}
    assert deployment_seen(body).note is None
