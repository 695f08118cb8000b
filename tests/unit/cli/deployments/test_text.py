"""What is written of a server: objects of Kubernetes, a Compose file, and the notes above them."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from llmopt.deployments.served import NotExportable, Served
from llmopt.deployments.text import exported
from llmopt.options import Form
from llmopt_core.engines.registry import BUILT_IN
from llmopt_core.resources.serving import SecretKey

CHECK = Path(sys.executable).parent / "check-jsonschema"
SERVED = Served(
    name="chat",
    container=BUILT_IN["vllm"].container,
    program="vllm",
    image="vllm/vllm-openai:v1",
    arguments=(
        "serve",
        "acme/small",
        "--override-generation-config",
        '{"temperature": 0.2}',
        "--port",
        "8000",
    ),
    source="hf://acme/small",
    notes=("accuracy +0.2", "trial 3, verified by repeats"),
    environment={"VLLM_LOGGING_LEVEL": "INFO"},
    request_fields={"temperature": 0.2},
    token=SecretKey(name="hub", key="token"),
    gpus=2,
    memory_mib=2048,
)


def documents(served, form):
    return list(yaml.safe_load_all(exported(served, form)))


def of(kind, found):
    return next(each for each in found if each["kind"] == kind)


def container_of(found):
    (container,) = of("Deployment", found)["spec"]["template"]["spec"]["containers"]
    return container


def test_the_notes_say_what_is_served_and_what_goes_with_requests():
    """Above the YAML stand the outcome, the request fields and what to pin, as comments."""
    text = exported(SERVED, Form.DEPLOYMENT)
    comments = [line for line in text.splitlines() if line.startswith("# ")]
    assert comments == [
        "# accuracy +0.2",
        "# trial 3, verified by repeats",
        '# Send with each request: {"temperature": 0.2}',
        "# Pin the image to the engine's version that was measured: vllm/vllm-openai:v1",
    ]


@pytest.mark.parametrize(
    ("measured", "note"),
    [
        ("vllm 1.0", "Pin the image to the engine's version that was measured (vllm 1.0): own:latest"),
        ("", "Pin the image to the engine's version that was measured: own:latest"),
    ],
)
def test_an_image_of_another_version_is_to_be_pinned(measured, note):
    """The note names the version that was measured, where it is known."""
    text = exported(replace(SERVED, image="own:latest", measured=measured), Form.COMPOSE)
    assert f"# {note}\n" in text


@pytest.mark.parametrize("form", Form)
def test_another_program_is_started_where_the_server_lacks_a_flag(form):
    """The image's own program stays out, and a comment says what the image must have."""
    served = replace(
        SERVED, program="python", needs="the extra transformers of llmopt, for a flag is missing"
    )
    text = exported(served, form)
    assert "# The image needs the extra transformers of llmopt, for a flag is missing.\n" in text
    (started,) = [line.strip() for line in text.splitlines() if line.strip() in {"- python", "- vllm"}]
    assert started == "- python"


def test_an_image_of_the_measured_version_needs_no_pin():
    """The note says that image and measurement agree."""
    served = replace(SERVED, image="vllm/vllm-openai:v1.0", measured="vllm 1.0")
    assert "# Measured with vllm 1.0, which the image has.\n" in exported(served, Form.COMPOSE)


@pytest.mark.parametrize("form", Form)
def test_the_text_reads_as_people_write_it(form):
    """Nothing stands for something elsewhere, and a file inside is a block of lines."""
    text = exported(SERVED, form)
    assert "&id" not in text
    assert "*id" not in text
    assert "\\n" not in text


def test_a_deployment_serves_with_what_was_measured():
    """Image, command, arguments, GPUs and memory are in the container; the token is a reference."""
    container = container_of(documents(SERVED, Form.DEPLOYMENT))
    assert (container["image"], container["command"]) == ("vllm/vllm-openai:v1", ["vllm"])
    assert tuple(container["args"]) == SERVED.arguments
    assert container["resources"] == {
        "requests": {"memory": "2048Mi", "nvidia.com/gpu": "2"}, "limits": {"nvidia.com/gpu": "2"},
    }  # fmt: skip
    reference = {"secretKeyRef": {"name": "hub", "key": "token"}}
    assert container["env"] == [
        {"name": "VLLM_LOGGING_LEVEL", "value": "INFO"}, {"name": "HF_TOKEN", "valueFrom": reference},
    ]  # fmt: skip


def test_a_service_reaches_the_pods_of_its_deployment():
    """The selector of both is the label of the pods, and the port has the container's name for it."""
    found = documents(SERVED, Form.DEPLOYMENT)
    deployment, service = of("Deployment", found)["spec"], of("Service", found)["spec"]
    labels = deployment["template"]["metadata"]["labels"]
    assert service["selector"] == deployment["selector"]["matchLabels"] == labels
    assert service["ports"][0]["targetPort"] == container_of(found)["ports"][0]["name"]


def test_request_fields_are_a_config_map_where_there_are_some():
    """Clients read them from the cluster; without any there is no ConfigMap."""
    data = of("ConfigMap", documents(SERVED, Form.DEPLOYMENT))["data"]
    assert yaml.safe_load(data["fields.json"]) == {"temperature": 0.2}
    without = documents(replace(SERVED, request_fields={}), Form.DEPLOYMENT)
    assert [each["kind"] for each in without] == ["Deployment", "Service"]


@pytest.mark.parametrize("end_of_line", ["\n", "\r", "\x85", "\u2028", "\u2029"])
def test_the_messages_of_a_prompt_go_with_it(end_of_line):
    """As a comment on one line, and in the ConfigMap, also where there are no request fields."""
    system = f"짧게 # a{end_of_line}kind: Secret"
    asked = [{"role": "system", "content": system}, {"role": "user", "content": "{question}"}]
    prompted = replace(SERVED, request_fields={}, messages=asked)
    text = exported(prompted, Form.DEPLOYMENT)
    (line,) = [each for each in text.split("\n") if each.startswith("# Ask with these messages")]
    assert json.loads(line.partition("{question}: ")[2]) == asked
    data = of("ConfigMap", list(yaml.safe_load_all(text)))["data"]
    assert {name: json.loads(content) for name, content in data.items()} == {"messages.json": asked}


def test_a_claim_is_mounted_where_the_command_looks_for_the_model():
    """pvc://CLAIM/PATH is read-only below /models/CLAIM."""
    found = documents(replace(SERVED, source="pvc://models/small"), Form.DEPLOYMENT)
    pod = of("Deployment", found)["spec"]["template"]["spec"]
    claim = {"claimName": "models", "readOnly": True}
    assert {"name": "model", "persistentVolumeClaim": claim} in pod["volumes"]
    mount = {"name": "model", "mountPath": "/models/models", "readOnly": True}
    assert mount in container_of(found)["volumeMounts"]


@pytest.mark.parametrize("form", [Form.DEPLOYMENT, Form.KSERVE])
def test_a_model_of_this_machine_is_refused_for_a_cluster(form):
    """The message names the field, the value and what to give instead."""
    local = replace(SERVED, source="file:///models/m.gguf")
    with pytest.raises(NotExportable, match=r"file:///models/m\.gguf.*--model, as pvc://CLAIM/PATH"):
        exported(local, form)


def test_kserve_gets_the_same_server_under_its_own_name():
    """The InferenceService's container is the Deployment's, called as KServe wants it."""
    service = of("InferenceService", documents(SERVED, Form.KSERVE))
    (container,) = service["spec"]["predictor"]["containers"]
    deployed = container_of(documents(SERVED, Form.DEPLOYMENT))
    assert container == {**deployed, "name": "kserve-container"}


@pytest.mark.parametrize(
    "served",
    [SERVED, replace(SERVED, source="file:///models/m.gguf", token=None, gpus=0, environment={})],
    ids=["hub and GPUs", "file and no GPU"],
)
def test_a_compose_file_keeps_its_schema(served, tmp_path):
    """The Compose specification's own schema takes it."""
    path = tmp_path / "compose.yaml"
    path.write_text(exported(served, Form.COMPOSE))
    command = (CHECK, "--builtin-schema", "vendor.compose-spec", path)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_a_compose_file_mounts_a_file_and_keeps_dollars():
    """The model's file is at the same path inside; $ is none of Compose's variables; no token is written."""
    served = replace(SERVED, source="file:///models/m.gguf", arguments=("--alias", "cost$"))
    (document,) = documents(served, Form.COMPOSE)
    server = document["services"]["server"]
    assert server["volumes"] == ["/models/m.gguf:/models/m.gguf:ro"]
    assert server["command"] == ["--alias", "cost$$"]
    (with_token,) = documents(SERVED, Form.COMPOSE)
    assert "${HF_TOKEN:?}" in with_token["services"]["server"]["environment"].values()


@pytest.mark.parametrize("source", ["pvc://models/small", "package://pack/m.gguf"])
def test_compose_refuses_a_model_that_it_cannot_mount(source):
    """A claim and a Python package are nothing that Compose knows."""
    with pytest.raises(NotExportable, match="Compose needs a file or the hub"):
        exported(replace(SERVED, source=source), Form.COMPOSE)
