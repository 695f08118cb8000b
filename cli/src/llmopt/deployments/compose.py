"""A server as a Compose file."""

from typing import Any

from llmopt.deployments.served import NotExportable, Served
from llmopt_core.engines.servers import ModelReference

_CACHE = "model-cache"


def compose(served: Served) -> dict[str, Any]:
    """Return a Compose file with the server as its one service."""
    service: dict[str, Any] = {
        "image": served.image,
        "entrypoint": [served.program],
        # Compose reads $ as the beginning of a variable.
        "command": [argument.replace("$", "$$") for argument in served.arguments],
        "ports": [f"{served.container.port}:{served.container.port}"],
        "ipc": "host",
        "restart": "unless-stopped",
        "volumes": [_model(served)],
    }
    if environment := _environment(served):
        service["environment"] = environment
    if served.gpus:
        devices = [{"driver": "nvidia", "count": served.gpus, "capabilities": ["gpu"]}]
        service["deploy"] = {"resources": {"reservations": {"devices": devices}}}
    volumes: dict[str, Any] = {"volumes": {_CACHE: {}}} if served.scheme == "hf" else {}
    return {"name": served.name, "services": {"server": service}, **volumes}


def _environment(served: Served) -> dict[str, str]:
    token = {"HF_TOKEN": "${HF_TOKEN:?}"} if served.token is not None and served.scheme == "hf" else {}
    return {**served.environment, **token}


def _model(served: Served) -> str:
    if served.scheme == "hf":
        return f"{_CACHE}:{served.container.cache}"
    path = ModelReference.of(served.source).path
    if served.scheme != "file" or path is None:
        raise NotExportable(
            f"spec.model.source {served.source!r}: Compose needs a file or the hub: name the same model by"
            " --model, as file:///PATH or hf://ORG/NAME"
        )
    return f"{path}:{path}:ro"
